// Looks every three seconds how far a sending has come, until it is over or somebody stops it.
// Without this script the page has a link that does the same.
"use strict";
(function () {
  const box = document.getElementById("progress");
  if (!box || box.hasAttribute("data-finished") || !window.fetch || !window.DOMParser) return;
  const pause = box.querySelector("[data-pause]");
  const words = { on: pause.dataset.on, off: pause.dataset.off };
  let running = true;

  async function look() {
    if (!running || document.hidden) return;
    try {
      const answer = await fetch(box.dataset.progress, { credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("progress");
      if (!fresh) return;
      for (const part of ["p", "progress", "dl", ".outlets"]) {
        const old = box.querySelector(part);
        const now = fresh.querySelector(part);
        if (old && now) old.replaceWith(now);
      }
      if (fresh.hasAttribute("data-finished")) {
        running = false;
        pause.hidden = true;
      }
    } catch (error) {
      // The network is away: the next look may find it again.
    }
  }

  pause.hidden = false;
  pause.addEventListener("click", function () {
    running = !running;
    pause.textContent = running ? words.on : words.off;
  });
  window.setInterval(look, 3000);
})();
