// The area of an alert as it is frozen: how many phones in each ward, which shelters lie inside, which are open outside.
// Or one named area (#place-map), and what its boundary becomes when it is saved.
"use strict";
(function () {
  const place = document.getElementById("place-map"), element = place || document.getElementById("alert-map");
  const own = window.yobikakeMap && window.yobikakeMap.open(element);
  if (!own) return;
  own.ready.then(async function () {
    const shape = element.dataset.shape, area = shape ? JSON.parse(shape) : await own.get(element.dataset.area);
    if (!area) return own.say(own.words.no_layer);
    const was = element.dataset.before ? await own.get(element.dataset.before) : null;
    const before = was ? L.geoJSON(was, { interactive: false, style: { className: "map-saved" } }).addTo(own.map) : null;
    const drawn = L.geoJSON(area, {
      interactive: false, style: { className: place ? "map-drawn target" : "map-area" },
      pointToLayer: function (_, at) { return L.circleMarker(at, { radius: 9, interactive: false }); },
    }).addTo(own.map);
    own.fit(before ? drawn.getBounds().extend(before.getBounds()) : drawn.getBounds());
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
