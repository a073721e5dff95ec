// Looks every two seconds how far an import has come; when it is over the whole page is loaded anew.
// Without this script the page has a link that does the same.
"use strict";
(function () {
  const box = document.getElementById("progress");
  if (!box || !window.fetch || !window.DOMParser) return;

  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(box.dataset.page, { credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("progress");
      if (!fresh) {
        window.location.reload();
        return;
      }
      for (const part of ["p", "progress"]) {
        const old = box.querySelector(part);
        const now = fresh.querySelector(part);
        if (old && now) old.replaceWith(now);
      }
    } catch (error) {
      // The network is away: the next look may find it again.
    }
  }

  window.setInterval(look, 2000);
})();
