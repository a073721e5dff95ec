// The area of an alert as it is frozen: how many phones in each ward, which shelters lie inside, which are open outside.
"use strict";
(function () {
  const element = document.getElementById("alert-map");
  const own = window.yobikakeMap && window.yobikakeMap.open(element);
  if (!own) return;
  own.ready.then(async function () {
    const area = await own.get(element.dataset.area);
    if (!area) return own.say(own.words.no_layer);
    const drawn = L.geoJSON(area, { interactive: false, style: { className: "map-area" } }).addTo(own.map);
    own.fit(drawn.getBounds());
    element.dataset.ready = "yes";
    const tick = own.box.querySelector("[data-layer=shelters]");
    if (!tick || !element.dataset.refuges) return undefined;
    let known = null, layer = null;
    async function refuges() {
      if (!tick.checked) {
        if (layer) layer.remove();
        layer = null;
        return;
      }
      known = known || await own.get(element.dataset.refuges);
      if (known) layer = window.yobikakeMap.sites(own, known.features);
      else own.say(own.words.no_layer);
    }
    tick.addEventListener("change", refuges);
    return refuges();
  });
})();
