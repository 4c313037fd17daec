// One thing in full, at the side. What is open is drawn anew with each frame.
let drawerUpdate = null;

function openDrawer(title, subtitle, content, update) {
  const dialog = $('drawer');
  put(dialog, h('div.inner', null,
    h('div.title', null,
      h('div', null, h('h2', { id: 'drawer-title', tabindex: '-1', autofocus: true }, title), h('div.muted', null, subtitle)),
      h('button.button.quiet.icon', { type: 'button', 'aria-label': 'Close', onclick: () => dialog.close() }, '✕')),
    content));
  drawerUpdate = update ?? null;
  update?.();
  if (!dialog.open) dialog.showModal();
}

$('drawer').addEventListener('close', () => {
  drawerUpdate = null;
  const [view] = location.hash.slice(1).split('/');
  if (view === 'pools' && location.hash.includes('/')) history.replaceState(null, '', '#pools');
});
$('drawer').addEventListener('click', (event) => { if (event.target === $('drawer')) $('drawer').close(); });

// Terms with values that change: [['Sessions', () => text or element], …]
function facts(lines) {
  const cells = lines.map(([name, value]) => ({ value, dd: h('dd'), dt: h('dt', null, name) }));
  return {
    element: h('dl.facts', null, cells.flatMap((cell) => [cell.dt, cell.dd])),
    update() {
      for (const { value, dd, dt } of cells) {
        const shown = value();
        dd.hidden = dt.hidden = shown === null || shown === undefined || shown === '';
        if (shown instanceof Node) put(dd, shown); else setText(dd, String(shown ?? ''));
      }
    },
  };
}
