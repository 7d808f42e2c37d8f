// Says what "Number" and "Within minutes" mean for the event chosen, and hides what has no meaning for it.
(() => {
  "use strict";

  const lineOf = (field) => field.closest(".form-row") || field.closest(".field-line") || field.parentElement;

  const explain = (name, label, help) => {
    const field = document.getElementById(`id_${name}`);
    if (!field) return;
    const line = lineOf(field);
    const shown = Boolean(label || help);
    line.style.display = shown ? "" : "none";
    if (!shown) return;
    const named = line.querySelector("label");
    if (named && label) named.textContent = label;
    const said = document.getElementById(`id_${name}_helptext`) || line.querySelector(".help, .leading-relaxed");
    if (said) said.textContent = help;
  };

  const start = () => {
    const event = document.getElementById("id_event");
    if (!event || !event.dataset.explained) return;
    const explained = JSON.parse(event.dataset.explained);
    const show = () => {
      const said = explained[event.value] || {};
      explain("threshold", said.number, said.help);
      explain("minutes", "", said.minutes);
    };
    event.addEventListener("change", show);
    show();
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
