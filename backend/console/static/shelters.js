// Saves one row of the board without leaving the page, so that the next call can begin at once.
// Without this script the same buttons save and come back to the row.
"use strict";
(function () {
  const board = document.getElementById("board");
  if (!board || !window.fetch || !window.DOMParser) return;

  function tell(form, kind, words) {
    const old = form.querySelector(".told");
    const line = document.createElement("p");
    line.className = "told " + kind;
    line.setAttribute("role", kind === "wrong" ? "alert" : "status");
    line.textContent = words;
    if (old) old.replaceWith(line);
    else form.prepend(line);
  }

  board.addEventListener("submit", async function (event) {
    const form = event.target, button = event.submitter;
    if (!form.matches(".site-say") || !button) return;
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    form.setAttribute("aria-busy", "true");
    tell(form, "warning", board.dataset.busy);
    const typed = new FormData(form);
    typed.set(button.name, button.value);
    typed.set("row", "1");
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(typed), credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("li[data-site]");
      const row = form.closest("li[data-site]");
      if (fresh && fresh.dataset.site === row.dataset.site) {
        row.replaceWith(fresh);
        const again = Array.from(fresh.querySelectorAll("button")).find((one) => one.value === button.value);
        if (again) again.focus();
        return;
      }
      // Signed out, or something else that needs a whole page: send it as without the script.
      const kept = document.createElement("input");
      kept.type = "hidden";
      kept.name = button.name;
      kept.value = button.value;
      form.append(kept);
      form.submit();
    } catch (error) {
      form.removeAttribute("aria-busy");
      tell(form, "wrong", board.dataset.failed);
    }
  });
})();
