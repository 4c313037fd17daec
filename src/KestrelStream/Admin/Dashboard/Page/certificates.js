const certificates = {
  list: [],
  async load() {
    this.list = (await get('api/certificates')).map((one) => ({ ...one, state: this.stateOf(one) }));
    const soon = this.soon().length;
    $('count-certificates').hidden = !soon;
    setText($('count-certificates'), String(soon));
  },
  // Short ones are renewed late: a third of their life is early enough.
  stateOf({ not_before: start, not_after: end }) {
    if (!end) return { days: 1e6, kind: 'warn', text: 'None' };
    const days = (new Date(end) - now()) / 86400000;
    const life = start ? (new Date(end) - new Date(start)) / 86400000 : 90;
    const [warn, down] = [Math.min(30, life / 3), Math.min(7, life / 10)];
    return { days, kind: days < down ? 'down' : days < warn ? 'warn' : 'up', text: days < 0 ? 'Ended' : days < warn ? 'Ends soon' : 'Good' };
  },
  soon() { return this.list.filter((one) => one.state.kind !== 'up').sort((a, b) => a.state.days - b.state.days); },
};

function certificatesView() {
  const columns = [
    { key: 'state', label: 'State', width: '128px', narrow: '112px', render: (cell, row) => { const key = row.id + row.state.text; if (cell.dataset.key !== key) { cell.dataset.key = key; put(cell, pill(row.state.kind, row.state.text)); } } },
    { key: 'id', label: 'Certificate', width: 'minmax(120px, .6fr)', narrow: 'minmax(0, 1fr)', text: (row) => (row.certificates === 1 ? row.id : `${row.id} (${exact(row.certificates)})`) },
    { key: 'names', label: 'Names', width: 'minmax(180px, 1.4fr)', wide: true, render: (cell, row) => { setText(cell, row.names.join(', ') || '–'); cell.title = row.names.join('\n'); } },
    { key: 'end', label: 'Ends', width: '150px', narrow: '110px', text: (row) => (row.not_after ? day(row.not_after) : '–') },
    { key: 'left', label: 'Left', width: '96px', narrow: '84px', num: true, text: (row) => (row.state.days < 0 || !row.not_after ? '–' : span(row.state.days * 86400000)) },
    { key: 'life', label: '', width: 'minmax(90px, .5fr)', wide: true, render: renderLife },
  ];
  const table = grid({ label: 'Certificates', columns, empty: 'No certificate is loaded: no route ends TLS.' });
  const element = h('section.view', { 'aria-labelledby': 'certificates-title' }, h('div.head', null, h('h1', { id: 'certificates-title' }, 'Certificates')), h('div.card', null, table.element));

  function renderLife(cell, row) {
    const bar = h('i');
    const whole = new Date(row.not_after) - new Date(row.not_before ?? row.not_after);
    const left = whole > 0 ? Math.min(1, Math.max(0, (row.state.days * 86400000) / whole)) : 0;
    put(cell, h(`div.life.${row.state.kind}`, { role: 'img', 'aria-label': `${Math.round(left * 100)} % of its time is left` }, bar));
    bar.style.width = `${(left * 100).toFixed(1)}%`;
  }

  return {
    id: 'certificates', title: 'Certificates', element,
    async enter() { try { await certificates.load(); table.show(certificates.list); } catch (error) { toast(error.message, true); } },
  };
}
