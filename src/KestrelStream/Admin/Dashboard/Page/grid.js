// A table of any length: only the rows that are in sight exist. Rows are reused, cells are written when they differ, and the keyboard walks it.
// Columns: { key, label, width, num, text(row), render(cell, row), sort }. On narrow screens those with wide: true are left out.
const narrow = matchMedia('(max-width: 900px)');

function grid({ label, columns, onOpen, rowClass = () => '', isGroup = () => false, empty = 'Nothing here.', sort = null, onSort = null }) {
  const rowsBox = h('div.rows', { role: 'rowgroup' });
  const head = h('div.hrow', { role: 'row' });
  const table = h('div.table', { role: 'table', 'aria-label': label }, h('div', { role: 'rowgroup' }, head), rowsBox);
  const nothing = h('p.empty', { hidden: true }, empty);
  const element = h('div.grid', { tabindex: '-1' }, table, nothing);
  const pool = [];
  let rows = [];
  let shown = [];
  let active = 0;
  let order = sort;

  function header() {
    shown = columns.filter((column) => !(column.wide && narrow.matches));
    table.style.setProperty('--columns', shown.map((column) => (narrow.matches && column.narrow) || column.width).join(' '));
    put(head, shown.map((column) => {
      const direction = order?.key === column.key ? (order.down ? 'descending' : 'ascending') : null;
      return h(`div.hcell${column.num ? '.num' : ''}`, { role: 'columnheader', 'aria-sort': column.sort ? direction ?? 'none' : null },
        column.sort ? h('button', { type: 'button', onclick: () => sortBy(column) }, column.label) : column.label);
    }));
    for (const one of pool.splice(0)) one.element.remove();
  }

  function sortBy(column) {
    order = { key: column.key, down: order?.key === column.key ? !order.down : !!column.num };
    onSort?.(order);
    header();
    head.querySelector('[aria-sort$="cending"] button')?.focus();
  }

  const rowHeight = () => (narrow.matches ? 52 : 40);

  function window_() {
    const box = element.getBoundingClientRect();
    const inner = narrow.matches ? Math.max(0, -box.top) : element.scrollTop;
    const height = narrow.matches ? innerHeight : element.clientHeight;
    const first = Math.max(0, Math.floor(inner / rowHeight()) - 4);
    return [first, Math.min(rows.length, first + Math.ceil(height / rowHeight()) + 9)];
  }

  function row() {
    const cells = shown.map((column) => h(`div.cell${column.num ? '.num' : ''}`, { role: 'cell' }));
    const one = { element: h('div.row', { role: 'row', tabindex: '-1' }, cells), cells, index: -1 };
    one.element.addEventListener('click', (event) => { if (!event.target.closest('button, a')) open(one.index); });
    one.element.addEventListener('focus', () => { active = one.index; });
    rowsBox.append(one.element);
    pool.push(one);
    return one;
  }

  function open(index) {
    if (rows[index] && !isGroup(rows[index])) onOpen?.(rows[index]);
  }

  function draw() {
    rowsBox.style.height = `${rows.length * rowHeight()}px`;
    nothing.hidden = rows.length > 0;
    const [first, last] = window_();
    table.setAttribute('aria-rowcount', rows.length + 1);
    active = Math.min(active, Math.max(0, rows.length - 1));
    const free = pool.filter((one) => one.index < first || one.index >= last);
    const used = new Map(pool.filter((one) => !free.includes(one)).map((one) => [one.index, one]));
    for (let index = first; index < last; index++) {
      const one = used.get(index) ?? free.pop() ?? row();
      place(one, index);
    }
    for (const one of free) { one.element.hidden = true; one.index = -1; }
  }

  function place(one, index) {
    const value = rows[index];
    if (one.index !== index) {
      one.index = index;
      one.element.hidden = false;
      one.element.style.transform = `translateY(${index * rowHeight()}px)`;
      one.element.setAttribute('aria-rowindex', index + 2);
    }
    one.element.tabIndex = index === active ? 0 : -1;
    setClass(one.element, `row ${onOpen && !isGroup(value) ? 'link' : ''} ${isGroup(value) ? 'group' : ''} ${rowClass(value)}`);
    shown.forEach((column, i) => {
      if (column.render) column.render(one.cells[i], value);
      else setText(one.cells[i], column.text(value) ?? '');
    });
  }

  function focusRow(index) {
    active = Math.max(0, Math.min(rows.length - 1, index));
    const top = active * rowHeight();
    if (!narrow.matches) {
      if (top < element.scrollTop) element.scrollTop = top;
      else if (top + rowHeight() + 40 > element.scrollTop + element.clientHeight) element.scrollTop = top + rowHeight() + 40 - element.clientHeight;
    }
    draw();
    pool.find((one) => one.index === active)?.element.focus({ preventScroll: !narrow.matches });
  }

  element.addEventListener('keydown', (event) => {
    if (event.target.closest('button, a, input')) return;
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 };
    if (event.key in moves) { focusRow(active + moves[event.key]); event.preventDefault(); }
    else if (event.key === 'Enter' || event.key === ' ') { open(active); event.preventDefault(); }
  });
  let waiting = false;
  const later = () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; if (element.isConnected) draw(); }); } };
  element.addEventListener('scroll', later, { passive: true });
  addEventListener('scroll', later, { passive: true });
  addEventListener('resize', later, { passive: true });
  narrow.addEventListener('change', () => { header(); if (element.isConnected) draw(); });
  header();
  return {
    element,
    get order() { return order; },
    visible() { const [first, last] = window_(); return rows.slice(first, last); },
    show(next) { rows = next; if (element.isConnected) draw(); },
  };
}
