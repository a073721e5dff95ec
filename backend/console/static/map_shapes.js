// The shapes of the form of an alert: their list of corners as it is typed, crossing lines, sizes, the way back.
"use strict";
window.yobikakeShapes = (function () {
  const CORNER = /^\(*\s*(-?\d{1,3}(?:\.\d{1,12})?)\s*[,\s]\s*(-?\d{1,3}(?:\.\d{1,12})?)\s*\)*$/;
  const MOST_BACK = 100;

  // As console/corners.py reads them: one corner a line, latitude first, an empty line begins another shape.
  function parse(text) {
    const rings = [[]];
    let bad = 0;
    text.normalize("NFKC").replace(/、/g, ",").split(/\r\n|\r|\n/).forEach(function (line, number) {
      if (!line.trim()) return rings.push([]);
      const found = CORNER.exec(line.trim());
      if (!found) bad = bad || number + 1;
      else rings[rings.length - 1].push([Number(found[1]), Number(found[2])]);
    });
    const drawn = rings.filter(function (ring) { return ring.length; });
    drawn.forEach(function (ring) {
      if (ring.length > 3 && same(ring[0], ring[ring.length - 1])) ring.pop();
    });
    return { rings: drawn, bad: bad };
  }

  function write(rings) {
    return rings.map(function (ring) {
      return ring.map(function (corner) { return corner[0] + ", " + corner[1]; }).join("\n");
    }).join("\n\n");
  }

  function same(a, b) {
    return a[0] === b[0] && a[1] === b[1];
  }

  // Five decimals are about a metre.
  function corner(latlng) {
    return [Number(latlng.lat.toFixed(5)), Number(latlng.lng.toFixed(5))];
  }

  function side(a, b, c) {
    return (b[1] - a[1]) * (c[0] - a[0]) - (b[0] - a[0]) * (c[1] - a[1]);
  }

  function within(a, b, c) {
    return Math.min(a[0], b[0]) <= c[0] && c[0] <= Math.max(a[0], b[0]) &&
      Math.min(a[1], b[1]) <= c[1] && c[1] <= Math.max(a[1], b[1]);
  }

  function meet(a, b, c, d) {
    const abc = side(a, b, c), abd = side(a, b, d), cda = side(c, d, a), cdb = side(c, d, b);
    if (abc * abd < 0 && cda * cdb < 0) {
      const part = cda / (cda - cdb);
      return [a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])];
    }
    if (abc === 0 && within(a, b, c)) return c;
    if (abd === 0 && within(a, b, d)) return d;
    if (cda === 0 && within(c, d, a)) return a;
    if (cdb === 0 && within(c, d, b)) return b;
    return null;
  }

  // Where a ring crosses itself; only a hint, the server judges. `unfinished`: without the closing line.
  function crossing(ring, unfinished) {
    const lines = ring.length - (unfinished ? 1 : 0);
    for (let i = 0; i < lines; i++) {
      for (let j = i + 2; j < lines; j++) {
        if (!unfinished && i === 0 && j === lines - 1) continue;
        const at = meet(ring[i], ring[i + 1], ring[j], ring[(j + 1) % ring.length]);
        if (at) return at;
      }
    }
    return null;
  }

  function km2(ring) {
    const east = 111.32 * Math.cos((ring[0][0] * Math.PI) / 180), north = 110.95;
    let twice = 0;
    ring.forEach(function (a, i) {
      const b = ring[(i + 1) % ring.length];
      twice += a[1] * east * b[0] * north - b[1] * east * a[0] * north;
    });
    const found = Math.abs(twice / 2);
    return found >= 10 ? found.toFixed(0) : found.toFixed(2);
  }

  // Steps back: what was, as text.
  function history() {
    const steps = [];
    return {
      keep: function (state) {
        const text = JSON.stringify(state);
        if (steps[steps.length - 1] !== text) steps.push(text);
        if (steps.length > MOST_BACK) steps.shift();
      },
      back: function () { return steps.length ? JSON.parse(steps.pop()) : null; },
      empty: function () { return !steps.length; },
    };
  }

  return { parse: parse, write: write, corner: corner, crossing: crossing, km2: km2, history: history };
})();
