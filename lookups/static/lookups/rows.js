/* In the list of rows: Enter in a cell saves the page, the up and down arrows go to the same column's next cell. */
document.addEventListener("keydown", (event) => {
  const cell = event.target;
  if (!cell.matches || !cell.matches("#changelist-form input[type=text][name*='-cell_']")) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Enter") {
    const save = document.querySelector("[name='_save']");
    if (!save) return;
    event.preventDefault();
    save.click();
  } else if (step) {
    const name = cell.name.replace(/^form-(\d+)-/, (_, row) => `form-${Number(row) + step}-`);
    const next = document.querySelector(`#changelist-form [name='${name}']`);
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
});
