document.querySelectorAll("th[data-sort]").forEach((head) =>
  head.addEventListener("click", () => {
    const body = head.closest("table").tBodies[0];
    const text = (row) => row.cells[head.cellIndex].textContent;
    const sign = head.dataset.up === "1" ? -1 : 1;
    head.dataset.up = sign === 1 ? "1" : "0";
    [...body.rows]
      .sort((a, b) => sign * text(a).localeCompare(text(b), undefined, { numeric: true }))
      .forEach((row) => body.append(row));
  }),
);
