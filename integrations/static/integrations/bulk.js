// Progress of a bulk resubmission: asks for the part of the page that changes, and puts it there.
// Without this script the page says the same after a reload.
"use strict";
(() => {
  const box = document.querySelector("[data-bulk-progress]");
  if (!box) return;
  const said = document.querySelector("[data-bulk-said]");
  const pause = 3000;

  async function look() {
    if (document.hidden) return wait();
    try {
      const answer = await fetch(box.dataset.bulkProgress, { credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return wait();
      const before = box.querySelector("[data-state]")?.dataset.state;
      box.innerHTML = await answer.text();
      const now = box.querySelector("[data-state]");
      if (now.dataset.state !== before) return window.location.reload();
      const line = now.dataset.line;
      if (said && said.textContent !== line) said.textContent = line;
      if (now.dataset.moving === "yes") wait();
    } catch {
      wait();
    }
  }

  const wait = () => window.setTimeout(look, pause);
  if (box.querySelector("[data-moving=yes]")) wait();
})();
