// Draws into the form of an alert. The text fields of the corners stay what is sent; map and list follow each other.
"use strict";
(function () {
  const element = document.getElementById("area-map");
  const own = window.yobikakeMap && window.yobikakeMap.open(element);
  if (!own) return;
  const S = window.yobikakeShapes, map = own.map, say = own.say, W = own.words, form = element.closest("form");
  const fields = {
    target: document.getElementById(element.dataset.corners), minus: document.getElementById(element.dataset.minusCorners),
  };
  const TOUCH = 16, MOST_HANDLES = 120, MOST_MIDDLES = 60, MOST_RINGS = 20;
  // Rings of [latitude, longitude] by kind; `drawing` and `picked` name a kind, a ring and (picked) a corner.
  let state = { target: [], minus: [], drawing: null }, picked = null, carrying = false, writing = false, dragging = false;
  const back = S.history(), group = L.layerGroup().addTo(map), marks = L.layerGroup().addTo(map);
  const preview = L.polyline([], { className: "map-preview", interactive: false }).addTo(map);
  const button = {};
  own.box.querySelectorAll("[data-do]").forEach(function (one) {
    button[one.dataset.do] = one;
    one.addEventListener("click", function () { act[one.dataset.do](); });
  });

  const rings = function () {
    return ["target", "minus"].flatMap(function (kind) {
      return state[kind].map(function (ring, at) { return { kind: kind, at: at, ring: ring }; });
    });
  };
  const ringOf = function (one) { return one && state[one.kind][one.at]; };
  const dots = function (corner) { return map.latLngToContainerPoint(corner); };
  const isDrawing = function (one) {
    return Boolean(state.drawing) && state.drawing.kind === one.kind && state.drawing.at === one.at;
  };

  function keep() { back.keep(state); }

  // From the list to the map. A line that cannot be read stops the map from writing, so that nothing typed is lost.
  function read() {
    for (const kind of ["target", "minus"]) {
      const found = S.parse(fields[kind].value);
      if (found.bad) {
        say(W.unreadable, { line: found.bad });
        return false;
      }
      state[kind] = found.rings;
    }
    return true;
  }

  function write() {
    writing = true;
    for (const kind of ["target", "minus"]) {
      const text = S.write(state[kind]);
      if (fields[kind].value !== text) {
        fields[kind].value = text;
        fields[kind].dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
    writing = false;
  }

  function changed() {
    write();
    show();
  }

  // Everything that changes a shape goes through here: `false` when a typed line bars the way.
  function begin() {
    for (const kind of ["target", "minus"]) {
      const bad = S.parse(fields[kind].value).bad;
      if (bad) {
        say(W.unreadable, { line: bad });
        fields[kind].closest("details").open = true;
        return false;
      }
    }
    keep();
    return true;
  }

  function show() {
    if (dragging) return;
    group.clearLayers();
    marks.clearLayers();
    let crossed = null;
    rings().forEach(function (one) {
      const unfinished = isDrawing(one) || one.ring.length < 3, at = S.crossing(one.ring, unfinished);
      crossed = crossed || at;
      const looks = { className: "map-drawn " + one.kind + (at ? " crossed" : "") + (isDrawing(one) ? " open" : ""), interactive: !state.drawing };
      const layer = unfinished ? L.polyline(one.ring, looks) : L.polygon(one.ring, looks);
      layer.on("click", function (event) {
        if (state.drawing) return;
        L.DomEvent.stop(event);
        picked = { kind: one.kind, at: one.at, corner: 0 };
        show();
        say(W.chosen, { many: one.ring.length, km2: S.km2(one.ring) });
      });
      one.layer = layer.addTo(group);
      if (at) L.circleMarker(at, { className: "map-crossing", radius: 12, interactive: false }).addTo(group);
      handles(one);
    });
    const sign = own.box.querySelector("[data-crossing]");
    if (sign.hidden !== !crossed) sign.hidden = !crossed;
    element.classList.toggle("drawing", Boolean(state.drawing));
    buttons();
    follow(null);
  }

  function handles(one) {
    const view = map.getBounds().pad(0.1), ring = one.ring, drawing = isDrawing(one);
    const chosen = drawing || (picked && picked.kind === one.kind && picked.at === one.at);
    if (state.drawing && !drawing || !chosen && rings().reduce(function (sum, other) { return sum + other.ring.length; }, 0) > MOST_HANDLES) return;
    ring.forEach(function (corner, at) {
      if (!view.contains(corner)) return;
      const is = chosen && picked && picked.corner === at ? " picked" : "";
      const marker = handle(corner, "map-corner " + one.kind + is + (drawing && at === 0 ? " first" : ""), !drawing);
      marker.on("click", function () {
        if (drawing) {
          if (at === 0 && ring.length > 2) finish();
          return;
        }
        picked = { kind: one.kind, at: one.at, corner: at };
        show();
        say(W.corner, { corner: at + 1, many: ring.length, at: ring[at].join(", ") });
      });
      movable(marker, one, function () { return at; });
    });
    if (drawing || ring.length < 2 || ring.length > MOST_MIDDLES) return;
    ring.forEach(function (corner, at) {
      const next = ring[(at + 1) % ring.length], middle = [(corner[0] + next[0]) / 2, (corner[1] + next[1]) / 2];
      if (dots(corner).distanceTo(dots(next)) < 56 || !view.contains(middle)) return;
      const marker = handle(middle, "map-middle " + one.kind, true);
      marker.on("click", function () {
        if (begin()) insert(one, at, L.latLng(middle));
      });
      movable(marker, one, function (place) {
        ring.splice(at + 1, 0, S.corner(place));
        return at + 1;
      });
    });
  }

  function handle(at, name, draggable) {
    const size = window.matchMedia("(pointer: coarse)").matches ? 36 : 28;
    const icon = L.divIcon({ className: name, iconSize: [size, size] });
    return L.marker(at, { icon: icon, keyboard: false, draggable: draggable, zIndexOffset: 8000 }).addTo(marks);
  }

  function movable(marker, one, place) {
    let at = -1;
    marker.on("dragstart", function () {
      if (!begin()) return marker.dragging.disable();
      dragging = true;
      at = place(marker.getLatLng());
    });
    marker.on("drag", function () {
      if (at < 0) return;
      one.ring[at] = S.corner(marker.getLatLng());
      one.layer.setLatLngs(one.ring);
    });
    marker.on("dragend", function () {
      dragging = false;
      if (at >= 0) picked = { kind: one.kind, at: one.at, corner: at };
      changed();
      if (at >= 0) say(W.moved, { corner: at + 1, at: one.ring[at].join(", ") });
    });
  }

  function insert(one, after, latlng) {
    state[one.kind][one.at].splice(after + 1, 0, S.corner(latlng));
    picked = { kind: one.kind, at: one.at, corner: after + 1 };
    changed();
    say(W.inserted, { corner: after + 2 });
  }

  function buttons() {
    const drawing = Boolean(state.drawing), ring = drawing ? ringOf(state.drawing) : ringOf(picked);
    button.target.setAttribute("aria-pressed", String(drawing && state.drawing.kind === "target"));
    button.minus.setAttribute("aria-pressed", String(drawing && state.drawing.kind === "minus"));
    const off = {
      finish: !drawing || ring.length < 3, undo: back.empty(), corner: drawing ? !ring.length : !ring, shape: !drawing && !rings().length,
    };
    Object.keys(off).forEach(function (name) {
      if (off[name] && document.activeElement === button[name]) element.focus({ preventScroll: true });
      button[name].disabled = off[name];
    });
  }

  function start(kind) {
    if (state.drawing && state.drawing.kind === kind) return act.finish();
    if (state.drawing && !stop() || !begin()) return;
    if (rings().length >= MOST_RINGS) return say(W.too_many, { most: MOST_RINGS });
    state[kind].push([]);
    state.drawing = { kind: kind, at: state[kind].length - 1 };
    picked = null;
    map.doubleClickZoom.disable();
    show();
    say(kind === "target" ? W.draw_target : W.draw_minus);
    element.focus({ preventScroll: true });
  }

  // Ends the drawing without a word; a ring that encloses nothing is dropped.
  function stop() {
    const ring = ringOf(state.drawing);
    if (ring.length < 3) state[state.drawing.kind].splice(state.drawing.at, 1);
    state.drawing = null;
    window.setTimeout(function () { map.doubleClickZoom.enable(); }, 400);
    changed();
    return true;
  }

  function add(latlng) {
    const ring = ringOf(state.drawing), corner = S.corner(latlng), here = dots(corner);
    const first = ring.length && dots(ring[0]).distanceTo(here), last = ring.length && dots(ring[ring.length - 1]).distanceTo(here);
    if (ring.length > 2 && (first < TOUCH || last < 4)) return finish();
    if (ring.length && last < 4) return undefined;
    if (!begin()) return undefined;
    ring.push(corner);
    changed();
    return say(ring.length < 3 ? W.placed : W.placed_closable, { corner: ring.length, at: corner.join(", ") });
  }

  function finish() {
    const drawn = state.drawing, ring = ringOf(drawn);
    if (ring.length < 3) return say(W.three);
    keep();
    picked = { kind: drawn.kind, at: drawn.at, corner: 0 };
    stop();
    say(drawn.kind === "target" ? W.done_target : W.done_minus, { many: ring.length, km2: S.km2(ring) });
    const name = document.getElementById("name.ja");
    if (drawn.kind === "target" && name && !name.value && !form.querySelector("input[name=area]:checked")) name.closest("details").open = true;
    return undefined;
  }

  const act = {
    target: function () { start("target"); },
    minus: function () { start("minus"); },
    finish: function () {
      finish();
      element.focus({ preventScroll: true });
    },
    undo: function () {
      const before = back.back();
      if (!before) return;
      carrying = false;
      picked = null;
      state = before;
      changed();
      say(W.undone);
    },
    corner: function () {
      const drawing = Boolean(state.drawing), ring = drawing ? ringOf(state.drawing) : ringOf(picked);
      if (!ring || !ring.length) return;
      if (!drawing && ring.length <= 3) return say(W.three_stay);
      if (!begin()) return;
      ring.splice(drawing ? ring.length - 1 : picked.corner, 1);
      if (picked) picked.corner = Math.max(0, picked.corner - 1);
      changed();
      return say(W.removed, { many: ring.length });
    },
    shape: function () {
      const all = rings(), one = state.drawing || picked || (all.length === 1 ? all[0] : null);
      if (!one) return say(W.which);
      if (!begin()) return;
      state[one.kind].splice(one.at, 1);
      state.drawing = picked = null;
      carrying = false;
      changed();
      return say(W.shape_removed);
    },
    fit: function () { own.fit(extent()); },
  };

  // The crosshair: what it stands on is picked up, carried and put down with Enter.
  function under() {
    const here = dots(map.getCenter());
    let best = null, edge = null;
    rings().forEach(function (one) {
      one.ring.forEach(function (corner, at) {
        const far = dots(corner).distanceTo(here);
        if (far < TOUCH && (!best || far < best.far)) best = { kind: one.kind, at: one.at, corner: at, far: far };
        const a = dots(corner), b = dots(one.ring[(at + 1) % one.ring.length]);
        if (one.ring.length > 2 && L.LineUtil.pointToSegmentDistance(here, a, b) < 10) edge = edge || { one: one, after: at };
      });
    });
    return { corner: best, edge: edge };
  }

  function enter() {
    const at = map.getCenter();
    if (state.drawing) return add(at);
    if (carrying) {
      carrying = false;
      changed();
      return say(W.moved, { corner: picked.corner + 1, at: ringOf(picked)[picked.corner].join(", ") });
    }
    const found = under();
    if (!found.corner && !found.edge) {
      start("target");
      return state.drawing && add(at);
    }
    if (!begin()) return undefined;
    if (found.corner) picked = { kind: found.corner.kind, at: found.corner.at, corner: found.corner.corner };
    else insert(found.edge.one, found.edge.after, at);
    carrying = true;
    show();
    return say(W.carrying, { corner: picked.corner + 1 });
  }

  function hop(by) {
    const all = rings().flatMap(function (one) {
      return one.ring.map(function (_, at) { return { kind: one.kind, at: one.at, corner: at }; });
    });
    if (!all.length) return;
    const now = picked ? all.findIndex(function (one) { return one.kind === picked.kind && one.at === picked.at && one.corner === picked.corner; }) : -1;
    picked = all[(now + by + all.length + (now < 0 && by < 0 ? 1 : 0)) % all.length];
    map.panTo(ringOf(picked)[picked.corner], { animate: false });
    show();
    say(W.corner, { corner: picked.corner + 1, many: ringOf(picked).length, at: ringOf(picked)[picked.corner].join(", ") });
  }

  own.onkey = function (event) {
    const key = event.key;
    if (event.ctrlKey) {
      if (key !== "z") return false;
      act.undo();
    } else if (key === "Enter" || key === " ") enter();
    else if (key === "Delete" || key === "Backspace") {
      if (!state.drawing && !carrying) picked = under().corner || picked;
      carrying = false;
      act.corner();
    } else if (key === "PageDown" || key === "PageUp") {
      if (state.drawing || carrying) return false;
      hop(key === "PageDown" ? 1 : -1);
    } else if (key === "Escape" && carrying) act.undo();
    else if (key === "Escape" && state.drawing) {
      keep();
      state[state.drawing.kind].splice(state.drawing.at, 1);
      state.drawing = null;
      changed();
      say(W.cancelled);
    } else return false;
    return true;
  };
  own.quiet = function () { return carrying; };

  // The line that the next corner would make.
  function follow(latlng) {
    const ring = state.drawing && ringOf(state.drawing);
    preview.setLatLngs(ring && ring.length && latlng ? [ring[ring.length - 1], latlng].concat(ring.length > 1 ? [ring[0]] : []) : []);
  }

  map.on("click", function (event) {
    if (state.drawing) add(event.latlng);
    else if (picked && !carrying) {
      picked = null;
      show();
    }
  });
  map.on("dblclick", function () {
    if (state.drawing && ringOf(state.drawing).length > 2) finish();
  });
  map.on("mousemove", function (event) { follow(event.latlng); });
  map.on("mouseout", function () { follow(null); });
  map.on("move", function () {
    if (carrying) {
      ringOf(picked)[picked.corner] = S.corner(map.getCenter());
      show();
    } else if (state.drawing && element.classList.contains("by-keys")) follow(map.getCenter());
  });
  map.on("moveend", show);

  let later = 0;
  Object.values(fields).forEach(function (field) {
    field.addEventListener("input", function () {
      if (writing) return;
      window.clearTimeout(later);
      later = window.setTimeout(function () {
        const before = JSON.parse(JSON.stringify(state));
        if (!read()) return;
        back.keep(before);
        state.drawing = picked = null;
        carrying = false;
        show();
        say(W.followed);
      }, 300);
    });
  });

  function extent() {
    const bounds = L.latLngBounds([]);
    rings().forEach(function (one) { bounds.extend(L.latLngBounds(one.ring)); });
    ticked.layers.eachLayer(function (layer) { bounds.extend(layer.getBounds()); });
    return bounds.isValid() ? bounds : whole;
  }

  const ticked = window.yobikakeForm.ticks(own, form);
  let whole = null;
  form.classList.add("with-map");
  window.addEventListener("pageshow", function (event) {
    if (!event.persisted) return; // the page as it was left, with what was typed
    read();
    show();
    ticked.show();
  });
  map.invalidateSize({ animate: false });
  read();
  show();
  own.ready.then(async function (bounds) {
    whole = bounds;
    await ticked.show();
    if (element.dataset.saved) {
      const saved = await own.get(element.dataset.saved);
      if (saved) whole = L.geoJSON(saved, { interactive: false, style: { className: "map-saved" } }).addTo(map).getBounds();
    }
    own.fit(extent());
    element.dataset.ready = "yes";
    window.yobikakeForm.shelters(own);
  });
})();
