// Shows of each row only the fields that its kind needs. Without this script all of them are there.
"use strict";
(function () {
  for (const row of document.querySelectorAll("details.row")) {
    const chooser = row.querySelector("[data-kinds]");
    if (!chooser) continue;
    const show = () => {
      for (const part of row.querySelectorAll("[data-for]")) {
        part.toggleAttribute("data-off", !part.dataset.for.split(" ").includes(chooser.value));
      }
    };
    chooser.addEventListener("change", show);
    show();
  }
})();
