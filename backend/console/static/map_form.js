// What else the form of an alert says on its map: the areas that are ticked, the shelters for the hazard that is chosen.
"use strict";
window.yobikakeForm = (function () {
  function ticks(own, form) {
    const layers = L.layerGroup().addTo(own.map);
    async function show() {
      const boxes = Array.from(form.querySelectorAll("input[name=area]:checked, input[name=minus]:checked"));
      const unknown = boxes.filter(function (box) { return !own.features[box.value]; });
      if (unknown.length) {
        const codes = unknown.map(function (box) { return "code=" + encodeURIComponent(box.value); });
        const got = await own.get(own.box.dataset.areas + "?" + codes.join("&"));
        if (got) got.features.forEach(function (one) { own.features[one.properties.code] = one; });
        else own.say(own.words.no_layer);
      }
      layers.clearLayers();
      boxes.forEach(function (box) {
        const feature = own.features[box.value];
        if (!feature || !box.checked) return;
        const looks = { className: "map-ticked " + (box.name === "minus" ? "minus" : "target") };
        L.geoJSON(feature, { interactive: false, style: looks }).addTo(layers);
      });
    }
    form.addEventListener("change", function (event) {
      if (event.target.name === "area" || event.target.name === "minus") show();
    });
    return { layers: layers, show: show };
  }

  // Those for the hazard that is chosen above, unless another one is chosen beside the map. Where a city has more of
  // them than one answer holds, those in view are asked for whenever the map has moved.
  function shelters(own) {
    const tick = own.box.querySelector("[data-layer=shelters]"), hazard = own.box.querySelector("[data-hazard]");
    const kind = document.getElementById("kind");
    let known = null, layer = null, asked = 0;
    async function inView() {
      const view = own.map.getBounds().pad(0.1);
      const edges = [view.getSouth(), view.getWest(), view.getNorth(), view.getEast()];
      const query = "?in=" + edges.map(function (one) { return one.toFixed(4); }).join(",");
      return own.get(own.box.dataset.shelters + query + (hazard.value ? "&hazard=" + hazard.value : ""));
    }
    async function show() {
      if (!tick.checked) {
        if (layer) layer.remove();
        layer = null;
        return;
      }
      const turn = asked += 1;
      known = known || await own.get(own.box.dataset.shelters);
      const found = known && known.more ? await inView() : known;
      if (!found) {
        own.say(own.words.no_layer);
        return;
      }
      if (turn !== asked) return; // the map has moved on
      const shown = found.features.filter(function (one) {
        return !hazard.value || one.properties.hazards.includes(hazard.value);
      });
      if (layer) layer.replace(shown);
      else layer = window.yobikakeMap.sites(own, shown);
    }
    function follow() {
      hazard.value = kind && kind.value ? kind.value.split(":")[0] : "";
    }
    tick.addEventListener("change", show);
    hazard.addEventListener("change", show);
    own.map.on("moveend", function () { if (known && known.more && tick.checked) show(); });
    if (kind) kind.addEventListener("change", function () {
      follow();
      show();
    });
    follow();
    show();
  }

  return { ticks: ticks, shelters: shelters };
})();
