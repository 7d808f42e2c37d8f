/* The studio's live preview: posts the draft a moment after the last key, and shows what comes back. Without this
   script the Try button and the trees' buttons do the same by loading the page anew. */
"use strict";
(function () {
  const form = document.getElementById("studio-form");
  if (!form) return;
  const result = document.getElementById("st-result");
  const status = document.getElementById("st-status");
  const trouble = document.getElementById("st-trouble");
  const expression = document.getElementById("st-expression");
  const pointer = document.getElementById("st-pointer");
  const source = document.getElementById("st-source");
  const WAIT = 350; // milliseconds after the last key
  let timer = 0;
  let asked = null;

  function say(text) { if (status.textContent !== text) status.textContent = text; }

  async function preview() {
    if (asked) asked.abort();
    const mine = new AbortController();
    asked = mine;
    result.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.live, {
        method: "POST", body: new FormData(form), headers: { "X-Studio-Live": "1" },
        credentials: "same-origin", signal: mine.signal,
      });
      if (answer.redirected || !answer.ok) throw new Error("HTTP " + answer.status);
      show(await answer.text());
    } catch (error) {
      if (error.name === "AbortError") return;
      say("The preview could not be made (" + error.message + "). Press Try, or load the page again.");
    } finally {
      if (asked === mine) { asked = null; result.removeAttribute("aria-busy"); }
    }
  }

  function show(html) {
    const scrolled = Array.from(result.querySelectorAll(".st-scroll"), (box) => box.scrollTop);
    result.innerHTML = html; // made and escaped by the server's own template
    const wrong = result.querySelector("[data-trouble]");
    trouble.replaceChildren(...(wrong ? wrong.childNodes : []));
    result.querySelectorAll(".st-scroll").forEach((box, at) => { box.scrollTop = scrolled[at] || 0; });
    toChange();
    unhide();
    say(result.firstElementChild ? result.firstElementChild.dataset.said || "" : "");
  }

  function soon(wait) {
    window.clearTimeout(timer);
    timer = window.setTimeout(preview, wait);
  }

  /* Have the first difference in sight. */
  function toChange() {
    const box = result.querySelectorAll(".st-scroll")[1];
    const first = box && box.querySelector(".st-added, .st-changed, .st-removed");
    if (!first) return;
    const at = first.getBoundingClientRect().top - box.getBoundingClientRect().top;
    if (at < 0 || at > box.clientHeight - 40) box.scrollTop += at - box.clientHeight / 3;
  }

  function unhide() { trouble.querySelectorAll("button[data-line][hidden]").forEach((one) => { one.hidden = false; }); }

  function insert(path) {
    const at = expression.selectionStart, to = expression.selectionEnd;
    expression.setRangeText(path, at, to, "end");
    expression.focus();
    number();
  }

  function goTo(line, column) {
    const before = expression.value.split("\n").slice(0, line - 1).join("\n");
    const at = before.length + (line > 1 ? 1 : 0) + Math.max(column - 1, 0);
    expression.focus();
    expression.setSelectionRange(at, at);
  }

  const gutter = form.querySelector(".st-gutter");
  function number() {
    const lines = expression.value.split("\n").length;
    gutter.textContent = Array.from({ length: lines }, (_, at) => at + 1).join("\n");
    gutter.scrollTop = expression.scrollTop;
  }
  gutter.hidden = false;
  expression.addEventListener("scroll", () => { gutter.scrollTop = expression.scrollTop; });
  number();
  toChange();
  unhide();

  form.addEventListener("input", (event) => {
    if (event.target === expression) number();
    if (["reason", "messages"].includes(event.target.name)) return;
    if (event.target.name === "pasted") source.value = "pasted";
    if (event.target.name === "sample" && source.value !== "sample") return;
    soon(event.target === source ? 0 : WAIT);
  });
  source.addEventListener("change", () => {
    if (source.value === "pasted") document.getElementById("st-pasted-box").open = true;
  });
  form.addEventListener("submit", (event) => {
    const pressed = event.submitter;
    if (!pressed) return;
    if (pressed.name === "point") {
      event.preventDefault();
      pointer.value = pressed.value;
      pointer.focus();
      soon(0);
    } else if (pressed.name === "insert") {
      event.preventDefault();
      insert(pressed.value);
      soon(WAIT);
    } else if (pressed.classList.contains("st-try")) {
      event.preventDefault();
      soon(0);
    } else if (pressed.formAction.endsWith("/shadow/")) {
      say("Replaying stored messages; this takes up to a quarter of a minute.");
    }
  });
  document.addEventListener("click", (event) => {
    const to = event.target.closest("button[data-line]");
    if (to) goTo(Number(to.dataset.line), Number(to.dataset.column));
  });
})();
