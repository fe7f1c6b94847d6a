// "roc_auc 0.773" sorts by its figure: as text, 0.9 would come before 0.66
const figure = (text) => Number(/^\w+ (-?[\d.]+(?:e[+-]?\d+)?)$/.exec(text)?.[1]);
const order = (a, b) => figure(a) - figure(b) || a.localeCompare(b, undefined, { numeric: true });
document.querySelectorAll("th[data-sort]").forEach((head) => {
  const sort = () => {
    const body = head.closest("table").tBodies[0];
    const text = (row) => row.cells[head.cellIndex].textContent;
    const sign = head.dataset.up === "1" ? -1 : 1;
    head.dataset.up = sign === 1 ? "1" : "0";
    [...body.rows].sort((a, b) => sign * order(text(a), text(b))).forEach((row) => body.append(row));
  };
  head.tabIndex = 0;
  head.addEventListener("click", sort);
  head.addEventListener("keydown", (event) => event.key === "Enter" && sort());
});
