function poolsView() {
  const search = h('input.field', { type: 'search', placeholder: 'Cluster, member or address', 'aria-label': 'Search members' });
  const state = h('select.field', { 'aria-label': 'State' },
    [['', 'Every state'], ['up', 'Up'], ['down', 'Down'], ['drain', 'Out of service'], ['warn', 'Full'], ['unknown', 'Unknown']].map(([value, text]) => h('option', { value }, text)));
  const plots = new WeakMap();
  const isGroup = (row) => !!row.members;
  const columns = [
    { key: 'state', label: 'State', width: '128px', narrow: '108px', sort: (row) => row.shown.text, render: renderState },
    { key: 'id', label: 'Member', width: 'minmax(170px, 1.3fr)', narrow: 'minmax(0, 1fr)', sort: (row) => `${row.cluster.id}/${row.id}`, render: renderName },
    { key: 'active', label: 'Cur', width: '62px', narrow: '58px', num: true, sort: (row) => row.active, text: (row) => exact(row.active) },
    { key: 'most', label: 'Max', width: '62px', num: true, wide: true, sort: (row) => row.most, text: (row) => exact(row.most) },
    { key: 'max', label: 'Limit', width: '62px', num: true, wide: true, sort: (row) => row.max ?? 1e12, text: (row) => (row.max ? exact(row.max) : isGroup(row) ? '' : '–') },
    { key: 'total', label: 'Total', width: '84px', num: true, wide: true, sort: (row) => row.total, text: (row) => exact(row.total) },
    { key: 'rate', label: 'New/s', width: '68px', narrow: '62px', num: true, sort: (row) => row.rate.new, text: (row) => rate(row.rate.new) },
    { key: 'spark', label: 'Trend', width: '92px', wide: true, render: renderSpark },
    { key: 'inRate', label: 'In/s', width: '92px', num: true, wide: true, sort: (row) => row.rate.in, text: (row) => bytesRate(row.rate.in) },
    { key: 'outRate', label: 'Out/s', width: '92px', num: true, wide: true, sort: (row) => row.rate.out, text: (row) => bytesRate(row.rate.out) },
    { key: 'in', label: 'In', width: '84px', num: true, wide: true, sort: (row) => row.in, text: (row) => bytes(row.in) },
    { key: 'out', label: 'Out', width: '84px', num: true, wide: true, sort: (row) => row.out, text: (row) => bytes(row.out) },
    { key: 'errors', label: 'Errors', width: '70px', num: true, wide: true, sort: (row) => row.dialFailures + row.failed, text: (row) => exact((row.dialFailures ?? 0) + (row.failed ?? 0)) },
    { key: 'check', label: 'Last check', width: 'minmax(130px, 1fr)', wide: true, sort: (row) => row.checkText ?? '', render: renderCheck },
  ];
  const table = grid({
    label: 'Members of clusters', columns, isGroup, onOpen: (row) => { location.hash = `#pools/${enc(row.cluster.id)}/${enc(row.id)}`; },
    rowClass: (row) => (isGroup(row) ? '' : { down: 'bad', drain: 'off', warn: 'soft' }[row.shown.kind] ?? ''),
    empty: 'No member is like that.', onSort: () => refresh(),
  });
  const summary = h('span.muted', { role: 'status' });
  const element = h('section.view', { 'aria-labelledby': 'pools-title' },
    h('div.head', null, h('h1', { id: 'pools-title' }, 'Pools'), search, state, summary), h('div.card', null, table.element));

  function renderState(cell, row) {
    let mark = cell.firstElementChild;
    if (!mark) { mark = pill('up', ''); put(cell, mark); }
    const { kind, text } = isGroup(row) ? clusterState(row) : row.shown;
    setClass(mark, `pill ${kind}`);
    setText(mark, text);
  }

  function renderName(cell, row) {
    const key = isGroup(row) ? `${row.key} ${row.members.length} ${row.queue}` : row.key;
    if (cell.dataset.key === key) return;
    cell.dataset.key = key;
    const sub = isGroup(row) ? `${row.policy}${row.queueMax ? ` · queue ${row.queue}/${row.queueMax}` : ''}` : row.address;
    put(cell, isGroup(row) ? h('b', null, row.id) : row.id, row.backup ? [' ', h('span.tag', null, 'backup')] : null, h('span.sub.mono', null, sub));
    cell.title = isGroup(row) ? '' : `${row.id} ${row.address}`;
  }

  function renderSpark(cell, row) {
    let plot = plots.get(cell);
    if (!plot) { plot = spark(); plots.set(cell, plot); put(cell, plot.element); }
    plot.draw(row.history?.new_per_second);
  }

  function renderCheck(cell, row) {
    setClass(cell, 'cell dim');
    setText(cell, isGroup(row) || !row.check ? '' : `${row.check === 'healthy' ? 'OK' : row.check} · ${row.checkMs} ms · ${row.checkText}`);
    cell.title = isGroup(row) || !row.check ? '' : `${row.checkText}\n${ago(row.checkAt)}`;
  }

  function refresh() {
    const words = search.value.trim().toLowerCase();
    const wanted = state.value;
    const fits = (member) => (!wanted || member.shown.kind === wanted)
      && (!words || `${member.cluster.id}/${member.id} ${member.address} ${member.source ?? ''}`.toLowerCase().includes(words));
    const found = store.members.filter(fits);
    setText(summary, `${exact(found.length)} of ${exact(store.members.length)} members`);
    const order = table.order;
    if (order) {
      const key = columns.find((column) => column.key === order.key).sort;
      const keyed = found.map((member) => [key(member), member]);
      keyed.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0) * (order.down ? -1 : 1));
      table.show(keyed.map(([, member]) => member));
    } else {
      const rows = [];
      for (const member of found) {
        if (rows[rows.length - 1]?.cluster !== member.cluster) rows.push(member.cluster);
        rows.push(member);
      }
      table.show(rows);
    }
    askHistory();
  }

  // Of the clusters that are in sight, once each.
  function askHistory() {
    for (const row of table.visible()) {
      const cluster = isGroup(row) ? row : row.cluster;
      if (row.history || cluster.asked) continue;
      cluster.asked = true;
      loadHistory(cluster).catch(() => { cluster.asked = false; });
    }
  }

  search.addEventListener('input', refresh);
  state.addEventListener('change', refresh);
  return {
    id: 'pools', title: 'Pools', element, frame: refresh,
    enter([clusterId, memberId]) {
      if (clusterId && memberId) {
        const member = store.members.find((one) => one.cluster.id === clusterId && one.id === memberId);
        if (member) openMember(member);
      } else if (clusterId) { search.value = `${clusterId}/`; }
      refresh();
    },
  };
}

function clusterState(cluster) {
  const counted = cluster.members.filter((member) => member.shown.kind !== 'drain');
  const up = counted.filter((member) => member.shown.kind !== 'down').length;
  return { kind: counted.length === 0 ? 'drain' : up === counted.length ? 'up' : up === 0 ? 'down' : 'warn', text: `${up} of ${counted.length}` };
}

function openMember(member) {
  const path = `api/clusters/${enc(member.cluster.id)}/destinations/${enc(member.source ?? member.id)}`;
  const name = `${member.cluster.id} / ${member.id}`;
  const charts = [
    chart('New sessions a second', '', () => member.history?.new_per_second, rate),
    chart('Sessions', 'up', () => member.full?.sessions, exact),
    chart('From clients', 'in', () => member.full?.in_per_second, bytesRate),
    chart('To clients', '', () => member.full?.out_per_second, bytesRate),
  ];
  const list = facts([
    ['State', () => pill(member.shown.kind, member.shown.text)],
    ['Address', () => member.address],
    ['Found by', () => member.source],
    ['Sessions', () => `${exact(member.active)} now · ${exact(member.most)} at most${member.max ? ` · limit ${exact(member.max)}` : ''}`],
    ['In all', () => `${exact(member.total)} sessions`],
    ['Rate', () => `${rate(member.rate.new)} new a second`],
    ['From clients', () => `${bytesRate(member.rate.in)} · ${bytes(member.in)} in all`],
    ['To clients', () => `${bytesRate(member.rate.out)} · ${bytes(member.out)} in all`],
    ['Weight', () => `${member.weight}${member.backup ? ' · backup' : ''}`],
    ['Failed dials', () => exact(member.dialFailures)],
    ['Resets', () => exact(member.failed)],
    ['Taken out', () => (member.ejections ? `${exact(member.ejections)} times` : null)],
    ['Last check', () => (member.check ? `${member.check}, ${member.checkMs} ms, ${ago(member.checkAt)}: ${member.checkText}` : 'none')],
  ]);
  const states = [['Ready', 'ready', 'gets sessions'], ['Drain', 'drain', 'gets no new sessions'], ['Maintenance', 'maintenance', 'is in maintenance']].map(([label, state, outcome]) => ({
    state, button: h('button.button', { type: 'button', onclick: () => change('POST', path, { state }, `${name} ${outcome}.`) }, label),
  }));
  const closeAll = async () => {
    if (await ask('Close all its sessions?', `${exact(member.active)} sessions run on ${name}. They are reset at once.`, 'Close them')) {
      await change('DELETE', `api/sessions${query({ cluster: member.cluster.id, destination: member.id })}`, undefined, `Sessions of ${name} were closed.`);
    }
  };
  const actions = access.mayChange ? h('div.actions', { role: 'group', 'aria-label': 'Change' },
    states.map((one) => one.button), h('button.button.danger', { type: 'button', onclick: closeAll }, 'Close sessions')) : h('p.muted', null, 'Unlock to drain it or take it out of service.');
  const showState = () => {
    for (const { state, button } of states) {
      button.setAttribute('aria-pressed', String(member.state === state));
      setClass(button, `button${member.state === state ? ' primary' : ''}`);
    }
  };
  const hint = member.source && access.mayChange ? h('p.muted', null, `What is said of ${member.source} is said of all members of that name.`) : null;
  openDrawer(member.id, `Member of ${member.cluster.id}`, [actions, hint, list.element, charts.map((one) => one.element),
    h('p', null, h('a', { href: `#sessions/destination/${enc(member.id)}` }, 'Its sessions'))].flat(),
  () => { showState(); list.update(); charts.forEach((one) => one.draw()); });
  get(`api/history${query({ cluster: member.cluster.id, member: member.id })}`).then((history) => {
    const found = history.members.find((one) => one.id === member.id);
    if (found) { member.history = member.full = found; charts.forEach((one) => one.draw()); }
  }).catch(() => {});
}
