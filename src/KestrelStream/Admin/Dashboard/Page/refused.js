function refusedView() {
  const search = h('input.field', { type: 'search', placeholder: 'Name, client, reason or listener', 'aria-label': 'Search refused connections' });
  let rows = [];
  const columns = [
    { key: 'time', label: 'When', width: '104px', narrow: '84px', text: (row) => clock(row.time) },
    { key: 'reason', label: 'Reason', width: 'minmax(150px, .7fr)', narrow: 'minmax(0, 1fr)', render: (cell, row) => { if (cell.dataset.id !== row.id) { cell.dataset.id = row.id; put(cell, row.reason, row.detail ? h('span.sub', null, row.detail) : null); } } },
    { key: 'client', label: 'Client', width: 'minmax(150px, .8fr)', narrow: 'minmax(0, 1fr)', text: (row) => row.client },
    { key: 'sni', label: 'Server name', width: 'minmax(150px, 1fr)', wide: true, text: (row) => row.sni ?? '–' },
    { key: 'listener', label: 'Listener', width: 'minmax(90px, .5fr)', wide: true, text: (row) => row.listener },
    { key: 'route', label: 'Route', width: 'minmax(90px, .5fr)', wide: true, text: (row) => row.route ?? '–' },
    { key: 'bytes', label: 'Bytes', width: '84px', num: true, wide: true, text: (row) => (row.bytes_received ? exact(row.bytes_received) : '–') },
    { key: 'ms', label: 'After', width: '92px', num: true, wide: true, text: (row) => (row.duration_ms < 10000 ? `${row.duration_ms.toFixed(1)} ms` : span(row.duration_ms)) },
  ];
  const table = grid({ label: 'Refused connections', columns, onOpen: open, rowClass: () => '', empty: 'No connection was refused.' });
  const summary = h('span.muted', { role: 'status' });
  const element = h('section.view', { 'aria-labelledby': 'refused-title' },
    h('div.head', null, h('h1', { id: 'refused-title' }, 'Refused'), search, summary), h('div.card', null, table.element));

  function open(row) {
    const lines = facts([
      ['Reason', () => row.reason], ['Detail', () => row.detail], ['When', () => `${stamp(row.time)}, ${ago(row.time)}`], ['Client', () => row.client],
      ['Connected from', () => (row.peer !== row.client ? row.peer : null)], ['Listener', () => row.listener], ['Server name', () => row.sni], ['Route', () => row.route],
      ['Cluster', () => row.cluster], ['Took', () => `${row.duration_ms} ms`], ['Bytes looked at', () => (row.bytes_received ? exact(row.bytes_received) : 'none')],
    ]);
    const explain = row.sni || row.first_bytes
      ? h('p', null, h('a', { href: `#explain/${enc(row.listener)}/${enc(row.sni ?? '')}/${enc(row.client?.replace(/:\d+$/, '').replace(/^\[|\]$/g, '') ?? '')}` }, 'Explain the way of such a client')) : null;
    openDrawer(row.reason, `Session ${row.id}`, [lines.element,
      row.first_bytes ? h('div', null, h('h3', null, 'First bytes'), h('pre.hex', { tabindex: '0' }, hexDump(row.first_bytes))) : h('p.muted', null, 'Set Admin:RefusedBytes to see the first bytes of such clients.'),
      explain]);
    lines.update();
  }

  function refresh() {
    const words = search.value.trim().toLowerCase();
    const found = rows.filter((row) => !words || [row.reason, row.detail, row.client, row.sni, row.listener, row.route, row.id].join(' ').toLowerCase().includes(words));
    setText(summary, `${exact(found.length)} of the last ${exact(rows.length)}; ${exact(store.refused)} since start`);
    table.show(found);
  }

  async function load() {
    try { rows = await get('api/refused'); refresh(); } catch (error) { setText(summary, error.message); }
  }

  search.addEventListener('input', refresh);
  return { id: 'refused', title: 'Refused', element, enter: load, frame(news) { if (news.refused) load(); } };
}

function hexDump(hex) {
  const lines = [];
  for (let i = 0; i < hex.length; i += 32) {
    const pairs = hex.slice(i, i + 32).match(/../g);
    const text = pairs.map((pair) => { const code = parseInt(pair, 16); return code >= 32 && code < 127 ? String.fromCharCode(code) : '·'; }).join('');
    lines.push(`${(i / 2).toString(16).padStart(4, '0')}  ${pairs.join(' ').padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}
