function sessionsView() {
  const pageSize = 100;
  const search = h('input.field', { type: 'search', placeholder: 'Name, client, route, member or id', 'aria-label': 'Search sessions' });
  const by = h('span.tag', { hidden: true });
  const none = h('button.button', { type: 'button', hidden: true, onclick: () => { location.hash = '#sessions'; } }, 'All sessions');
  let filter = {};
  let offset = 0;
  let total = 0;
  let timer = 0;
  let asked = 0;
  const sortable = (key) => key;
  const columns = [
    { key: 'id', label: 'Id', width: '92px', wide: true, sort: sortable('id'), text: (row) => row.id },
    { key: 'client', label: 'Client', width: 'minmax(150px, .9fr)', narrow: 'minmax(0, 1fr)', sort: sortable('client'), text: (row) => row.client },
    { key: 'sni', label: 'Server name', width: 'minmax(150px, 1.2fr)', narrow: 'minmax(0, 1fr)', sort: sortable('sni'), text: (row) => row.sni ?? '–' },
    { key: 'route', label: 'Route', width: 'minmax(90px, .7fr)', wide: true, sort: sortable('route'), text: (row) => row.route ?? '–' },
    { key: 'destination', label: 'Member', width: 'minmax(120px, .9fr)', wide: true, sort: sortable('destination'), text: (row) => (row.destination ? `${row.cluster} / ${row.destination}` : '–') },
    { key: 'phase', label: 'Phase', width: '92px', wide: true, sort: sortable('phase'), text: (row) => row.phase },
    { key: 'bytes_in', label: 'In', width: '92px', num: true, wide: true, sort: sortable('bytes_in'), text: (row) => bytes(row.bytes_in) },
    { key: 'bytes_out', label: 'Out', width: '92px', num: true, wide: true, sort: sortable('bytes_out'), text: (row) => bytes(row.bytes_out) },
    { key: 'rate', label: 'Rate', width: '104px', narrow: '84px', num: true, sort: sortable('rate'), text: (row) => (row.bytes_in_per_second === null ? '…' : bytesRate(row.bytes_in_per_second + row.bytes_out_per_second)) },
    { key: 'started', label: 'Age', width: '104px', num: true, wide: true, sort: sortable('started'), text: (row) => span(now() - new Date(row.started)) },
    { key: 'close', label: '', width: '84px', wide: true, num: true, render: renderClose },
  ];
  const table = grid({ label: 'Running sessions', columns, onOpen: openSession, sort: { key: 'started', down: true }, onSort: () => { offset = 0; load(); }, empty: 'No session is like that.' });
  const from = h('span', { role: 'status' });
  const back = h('button.button', { type: 'button', onclick: () => { offset = Math.max(0, offset - pageSize); load(); } }, 'Previous');
  const forth = h('button.button', { type: 'button', onclick: () => { offset += pageSize; load(); } }, 'Next');
  const element = h('section.view', { 'aria-labelledby': 'sessions-title' },
    h('div.head', null, h('h1', { id: 'sessions-title' }, 'Sessions'), search, by, none),
    h('div.card', null, table.element, h('div.pager', null, from, h('span.push'), back, forth)));

  function renderClose(cell, row) {
    if (cell.dataset.id === row.id && cell.dataset.may === String(access.mayChange)) return;
    cell.dataset.id = row.id;
    cell.dataset.may = access.mayChange;
    put(cell, access.mayChange ? h('button.button.danger', { type: 'button', 'aria-label': `Close session ${row.id}`, onclick: () => close(row) }, 'Close') : null);
  }

  async function close(row) {
    if (await change('DELETE', `api/sessions/${enc(row.id)}`, undefined, `Session ${row.id} was closed.`)) load();
  }

  async function load() {
    clearTimeout(timer);
    const mine = ++asked;
    try {
      const sort = table.order ? (table.order.down ? '-' : '') + table.order.key : '';
      const response = await call('GET', `api/sessions${query({ ...filter, q: search.value.trim(), sort, limit: pageSize, offset })}`);
      const rows = await response.json();
      if (mine !== asked) return;
      total = Number(response.headers.get('x-total-count'));
      table.show(rows);
      setText(from, total === 0 ? 'None' : `${exact(offset + 1)}–${exact(offset + rows.length)} of ${exact(total)}`);
      back.disabled = offset === 0;
      forth.disabled = offset + rows.length >= total;
    } catch (error) {
      if (mine === asked) setText(from, error.message);
    }
    if (mine === asked && element.isConnected && !document.hidden) timer = setTimeout(load, 2000);
  }

  function openSession(row) {
    const lines = facts([
      ['Id', () => row.id], ['Client', () => row.client], ['Server name', () => row.sni], ['Listener', () => row.listener], ['Route', () => row.route], ['Cluster', () => row.cluster],
      ['Member', () => row.destination], ['Phase', () => row.phase], ['From the client', () => `${bytes(row.bytes_in)} · ${bytesRate(row.bytes_in_per_second ?? 0)}`],
      ['To the client', () => `${bytes(row.bytes_out)} · ${bytesRate(row.bytes_out_per_second ?? 0)}`], ['Accepted', () => `${stamp(row.started)}, ${ago(row.started)}`],
      ['Configuration', () => `generation ${row.generation}`], ['Certificate', () => row.client_certificate?.subject],
    ]);
    let looking = 0;
    const actions = access.mayChange
      ? h('div.actions', null, h('button.button.danger', { type: 'button', onclick: () => { close(row); $('drawer').close(); } }, 'Close session')) : null;
    openDrawer(row.sni ?? row.client ?? row.id, `Session ${row.id}`, [actions, lines.element], () => {
      lines.update();
      if (Date.now() - looking > 1500) {
        looking = Date.now();
        get(`api/sessions/${enc(row.id)}`).then((next) => Object.assign(row, next), (error) => { if (error.status === 404) row.phase = 'Ended'; });
      }
    });
  }

  let typing = 0;
  search.addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(() => { offset = 0; load(); }, 180); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden && element.isConnected) load(); });
  return {
    id: 'sessions', title: 'Sessions', element,
    enter([key, value]) {
      filter = key && value ? { [key]: value } : {};
      by.hidden = none.hidden = !key;
      setText(by, key ? `${key} ${value}` : '');
      offset = 0;
      load();
    },
    leave() { clearTimeout(timer); asked++; },
  };
}
