// A flow's page: follows a run that was started here, and copies what is to be entered at the edge system.
// Without it the page says the same, once.
(() => {
  "use strict";

  const LONGEST = 30 * 60 * 1000; // nobody watches longer; the run's own page has it all

  function addLine(list, line) {
    const item = document.createElement("li");
    item.className = `bb-run-${line.level}`;
    item.dataset.line = line.id;
    const clock = document.createElement("span");
    clock.className = "bb-quiet";
    clock.textContent = line.clock;
    item.append(clock, ` ${line.text} `);
    if (line.took) {
      const took = document.createElement("span");
      took.className = "bb-quiet";
      took.textContent = line.took;
      item.append(took);
    }
    list.append(item);
    list.scrollTop = list.scrollHeight;
  }

  function follow(card) {
    const list = card.querySelector("[data-run-lines]");
    const state = card.querySelector("[data-run-state]");
    const took = card.querySelector("[data-run-took]");
    const note = card.querySelector("[data-run-note]");
    const began = Date.now();
    let wait = 1000;

    const last = () => Number(list.lastElementChild?.dataset.line ?? 0);

    async function ask() {
      let told;
      try {
        const answer = await fetch(`${card.dataset.progress}&after=${last()}`, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(String(answer.status));
        told = await answer.json();
      } catch {
        note.textContent = "The hub does not answer; trying again.";
        wait = Math.min(wait * 2, 15000);
        setTimeout(ask, wait);
        return;
      }
      told.lines.forEach((line) => addLine(list, line));
      if (state.textContent !== told.label) state.textContent = told.label;
      state.className = `bb-badge bb-${told.variant}`;
      took.textContent = told.took;
      if (told.more) {
        setTimeout(ask, 50);
      } else if (told.ended) {
        note.textContent = "It has ended.";
      } else if (Date.now() - began > LONGEST) {
        note.textContent = "This page has stopped looking; load it again to go on.";
      } else {
        note.textContent = told.lines.length ? "" : "Waiting for its next step.";
        wait = told.lines.length ? 1000 : Math.min(wait * 1.3, 5000);
        setTimeout(ask, wait);
      }
    }
    ask();
  }

  function copies(section) {
    if (!navigator.clipboard) return; // only where the page came over https, or from this machine
    const said = section.querySelector("[data-copied]");
    section.querySelectorAll("[data-copy]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
        button.textContent = "Copied";
        said.textContent = `${button.getAttribute("aria-label")}: done`;
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-progress]").forEach(follow);
    document.querySelectorAll(".bb-edge").forEach(copies);
  });
})();
