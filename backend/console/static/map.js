// A map of our own data: wards, towns and zones, shelters, danger areas; tiles below it when they can be had.
// Opens on an element inside a [data-map] box (console/map_parts.html), which has its words and addresses.
"use strict";
window.yobikakeMap = (function () {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const JAPAN = [[26, 127], [45, 146]];
  const FAR = 60, NEAR = 6; // dots that an arrow key moves the map by
  const TOWNS_FROM = 13, MOST_DRAWN = 250;
  const SIGNS = { open: "○", full: "△", unknown: "?", closed: "×", inside: "×" };
  const STATES = { open: "open", full: "full", closed: "closed", unusable: "closed" };
  let byKeys = false;
  document.addEventListener("keydown", function () { byKeys = true; }, true);
  document.addEventListener("pointerdown", function () { byKeys = false; }, true);

  // Text as an element: Leaflet takes strings for HTML.
  function words(text) {
    const element = document.createElement("span");
    element.textContent = text;
    return element;
  }

  function filled(text, values) {
    return text.replace(/%\((\w+)\)s/g, function (_, name) { return values[name]; });
  }

  async function get(url) {
    try {
      const answer = await fetch(url, { credentials: "same-origin" });
      return answer.ok && !answer.redirected ? await answer.json() : null;
    } catch (error) {
      return null; // the network is away; the list and the tables are still there
    }
  }

  function inside(ring, lng, lat) {
    let within = false;
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const a = ring[i], b = ring[j];
      if (a[1] > lat !== b[1] > lat && lng < ((b[0] - a[0]) * (lat - a[1])) / (b[1] - a[1]) + a[0]) within = !within;
    }
    return within;
  }

  function contains(geometry, at) {
    return geometry.coordinates.some(function (polygon) {
      return polygon.filter(function (ring) { return inside(ring, at.lng, at.lat); }).length % 2 === 1;
    });
  }

  function open(element) {
    const box = element && element.closest("[data-map]");
    if (!box || !window.L) return null;
    const at = box.dataset, said = JSON.parse(at.words), status = box.querySelector("[data-said]");
    box.hidden = element.hidden = false;
    const map = L.map(element, {
      keyboard: false, zoomControl: false, attributionControl: false, scrollWheelZoom: false, zoomSnap: 0.5, minZoom: 4, maxZoom: 18,
      zoomAnimation: !still, fadeAnimation: !still, markerZoomAnimation: !still, inertia: !still,
    });
    L.control.zoom({ zoomInTitle: said.zoom_in, zoomOutTitle: said.zoom_out }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    map.fitBounds(JAPAN);
    const own = { map: map, box: box, words: said, features: {}, wards: [], sites: [] };
    own.filled = filled;
    own.say = function (text, values) { status.textContent = filled(text, values || {}); };
    own.get = get;
    own.quick = { animate: !still };
    own.fit = function (bounds) {
      if (bounds && bounds.isValid()) map.fitBounds(bounds.pad(0.08), { maxZoom: 16, animate: false });
    };
    own.ready = wards(own);
    tiles(own);
    keys(own, element);
    towns(own);
    if (at.dangers) dangers(own);
    window.addEventListener("resize", function () { map.invalidateSize({ animate: false }); });
    return own;
  }

  function tiles(own) {
    const at = own.box.dataset, tick = own.box.querySelector("[data-layer=tiles]");
    if (!at.tiles || !tick) return;
    const layer = L.tileLayer(at.tiles, { minNativeZoom: 5, maxNativeZoom: 18, maxZoom: 18, className: "map-tile" });
    const credit = L.control.attribution({ prefix: false });
    let came = 0, failed = 0;
    layer.on("tileload", function () {
      came += 1;
      own.map.getContainer().classList.add("with-tiles");
    });
    layer.on("tileerror", function () {
      failed += 1;
      if (!came && failed >= 8) layer.remove(); // no way out of here: be quiet and do not try for ever
    });
    layer.on("add", function () { own.map.addControl(credit); credit.addAttribution(creditOf(at)); });
    layer.on("remove", function () {
      own.map.removeControl(credit);
      own.map.getContainer().classList.remove("with-tiles");
    });
    function show() {
      failed = 0;
      if (tick.checked) layer.addTo(own.map);
      else layer.remove();
    }
    tick.addEventListener("change", show);
    window.addEventListener("online", show);
    show();
  }

  function creditOf(at) {
    const link = document.createElement("a");
    link.href = at.creditUrl;
    link.textContent = at.credit;
    link.rel = "noreferrer";
    return link.outerHTML;
  }

  function keys(own, element) {
    const map = own.map, moves = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
    const cross = document.createElement("div");
    cross.className = "map-cross";
    cross.setAttribute("aria-hidden", "true");
    element.append(cross);
    let later = 0;
    element.addEventListener("focus", function () {
      map.scrollWheelZoom.enable(); // never before: the wheel scrolls the page
      element.classList.toggle("by-keys", byKeys);
    });
    element.addEventListener("blur", function () {
      map.scrollWheelZoom.disable();
      element.classList.remove("by-keys");
    });
    element.addEventListener("pointerdown", function () { element.classList.remove("by-keys"); });
    element.addEventListener("keydown", function (event) {
      if (event.target !== element || event.altKey || event.metaKey) return;
      const move = moves[event.key];
      if (move && !event.ctrlKey) {
        const far = event.shiftKey ? NEAR : FAR;
        map.panBy([move[0] * far, move[1] * far], { animate: false });
      } else if (["+", "=", ";", "-", "_"].includes(event.key) && !event.ctrlKey) {
        map.setZoom(map.getZoom() + (event.key === "-" || event.key === "_" ? -1 : 1), own.quick);
      } else if (!(own.onkey && own.onkey(event))) {
        return;
      }
      event.preventDefault();
      element.classList.add("by-keys");
      window.clearTimeout(later);
      if (move) later = window.setTimeout(function () { if (!own.quiet || !own.quiet()) own.say(whereabouts(own)); }, 500);
    });
  }

  // What lies under the crosshair, for who does not see it.
  function whereabouts(own) {
    const at = own.map.getCenter(), here = own.map.latLngToContainerPoint(at);
    const ward = own.wards.find(function (one) { return contains(one.geometry, at); });
    const parts = [ward ? ward.properties.name : own.words.outside];
    const near = (own.drawnSites || []).filter(function (one) {
      return own.map.latLngToContainerPoint(one.latlng).distanceTo(here) < 24;
    });
    near.slice(0, 2).forEach(function (one) { parts.push(one.title); });
    parts.push(at.lat.toFixed(5) + ", " + at.lng.toFixed(5));
    return parts.join(" / ");
  }

  function remember(own, collection) {
    collection.features.forEach(function (one) { own.features[one.properties.code] = one; });
    return collection.features;
  }

  function label(text, at, kind) {
    const icon = L.divIcon({ className: "map-label " + (kind || ""), html: words(text), iconSize: null });
    return L.marker(at, { icon: icon, interactive: false, keyboard: false, zIndexOffset: 5000 });
  }

  async function wards(own) {
    const found = await get(own.box.dataset.wards);
    if (!found) {
      own.say(own.words.no_layer);
      return null;
    }
    own.wards = remember(own, found);
    const drawn = L.geoJSON(found, { interactive: false, style: { className: "map-ward" } }).addTo(own.map);
    drawn.bringToBack();
    const counts = own.box.dataset.counts ? JSON.parse(own.box.dataset.counts) : null;
    own.wards.forEach(function (one) {
      const many = counts && counts[one.properties.code];
      const text = one.properties.name + (many ? " " + filled(own.words.devices, { many: many }) : "");
      label(text, one.properties.at, many ? "counted" : "").addTo(own.map);
    });
    return drawn.getBounds();
  }

  function towns(own) {
    const tick = own.box.querySelector("[data-layer=towns]");
    if (!tick) return;
    const group = L.layerGroup(), names = L.layerGroup(), known = {};
    let zones = null;
    async function fill() {
      if (!tick.checked) return;
      if (zones === null) {
        zones = true;
        draw(await get(own.box.dataset.zones), "map-zone");
      }
      if (own.map.getZoom() < TOWNS_FROM) return label_all();
      const view = own.map.getBounds();
      for (const ward of own.wards) {
        const code = ward.properties.code;
        if (known[code] || !L.geoJSON(ward).getBounds().intersects(view)) continue;
        known[code] = true;
        draw(await get(own.box.dataset.towns + "?in=" + encodeURIComponent(code)), "map-town");
      }
      label_all();
    }
    function draw(found, kind) {
      if (!found) return;
      remember(own, found);
      L.geoJSON(found, { interactive: false, style: { className: kind } }).addTo(group);
    }
    function label_all() {
      names.clearLayers();
      const view = own.map.getBounds().pad(-0.03);
      const seen = Object.values(own.features).filter(function (one) {
        const wanted = one.properties.kind === "zone" || (one.properties.kind === "town" && own.map.getZoom() >= TOWNS_FROM);
        return wanted && view.contains(one.properties.at);
      });
      if (seen.length > 60) return;
      seen.forEach(function (one) { label(one.properties.name, one.properties.at, "small").addTo(names); });
    }
    function show() {
      if (!tick.checked) {
        group.remove();
        names.remove();
        return;
      }
      group.addTo(own.map);
      names.addTo(own.map);
      fill();
    }
    tick.addEventListener("change", show);
    own.map.on("moveend", fill);
    own.ready.then(show);
  }

  async function dangers(own) {
    const found = await get(own.box.dataset.dangers);
    if (!found) return;
    found.features = found.features.filter(function (one) { return one.properties.id !== own.box.dataset.except; });
    L.geoJSON(found, {
      style: { className: "map-danger" },
      onEachFeature: function (one, layer) { layer.bindTooltip(words(own.words.in_force + " " + one.properties.name), { sticky: true }); },
    }).addTo(own.map);
  }

  // Sites as signs with a shape of their own, those in view; `features` are GeoJSON points.
  function sites(own, features) {
    const group = L.layerGroup().addTo(own.map), hint = own.box.querySelector("[data-sites-hint]");
    own.drawnSites = [];
    function draw() {
      group.clearLayers();
      own.drawnSites = [];
      const view = own.map.getBounds();
      const seen = features.filter(function (one) {
        const at = one.geometry.coordinates;
        return view.contains([at[1], at[0]]);
      });
      const many = seen.length > MOST_DRAWN;
      if (hint) hint.hidden = !many;
      (many ? seen.filter(function (one) { return one.properties.status === "open"; }).slice(0, MOST_DRAWN) : seen).forEach(add);
    }
    function add(one) {
      const state = one.properties.inside ? "inside" : STATES[one.properties.status] || "unknown";
      const at = L.latLng(one.geometry.coordinates[1], one.geometry.coordinates[0]);
      const title = one.properties.name + " – " + own.words["site_" + state];
      const icon = L.divIcon({ className: "map-site " + state, html: words(SIGNS[state]), iconSize: null });
      L.marker(at, { icon: icon, keyboard: false }).bindTooltip(words(title), { direction: "top" }).addTo(group);
      own.drawnSites.push({ latlng: at, title: title });
    }
    own.map.on("moveend", draw);
    draw();
    return { replace: function (others) { features = others; draw(); }, remove: function () {
      own.map.off("moveend", draw);
      group.remove();
      own.drawnSites = [];
      if (hint) hint.hidden = true;
    } };
  }

  return { open: open, sites: sites, words: words };
})();
