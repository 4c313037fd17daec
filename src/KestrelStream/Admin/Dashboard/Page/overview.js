function overviewView() {
  const tile = (label, kind) => {
    const value = h('div.value', null, '–');
    const hint = h('div.hint');
    const plot = spark(kind);
    return { element: h('div.card.tile', null, h('div.label', null, label), value, hint, plot.element), value, hint, plot };
  };
  const tiles = {
    sessions: tile('Sessions'), rate: tile('New sessions'), in: tile('From clients', 'in'), out: tile('To clients'), members: tile('Members up', 'up'), refused: tile('Refused', 'down'),
  };
  const flow = flowPicture();
  const attention = h('ul.list');
  const recent = h('ul.list');
  const element = h('section.view', { 'aria-labelledby': 'overview-title' },
    h('h1.sr', { id: 'overview-title' }, 'Overview'),
    h('div.tiles', null, Object.values(tiles).map((one) => one.element)),
    h('div.split', null,
      h('div.card', null, h('header', null, h('h2', null, 'Flow'), h('span.muted', null, 'new sessions and bytes a second')), h('div.body', null, flow.element)),
      h('div.view', null,
      h('div.card', null, h('header', null, h('h2', null, 'Worth a look')), h('div.body', null, attention)),
      h('div.card', null, h('header', null, h('h2', null, 'What changed'), h('a.push', { href: '#config' }, 'All')), h('div.body', null, recent)))));
  let lastStep = Infinity;

  const value = (one, number, unit) => put(one.value, number, unit ? h('span.unit', null, unit) : null);

  function drawTiles() {
    const { total } = store;
    const perSecond = bytesParts(total.rate.in);
    const outPerSecond = bytesParts(total.rate.out);
    const counted = store.members.filter((member) => member.shown?.kind !== 'drain');
    const up = counted.filter((member) => member.shown?.kind !== 'down').length;
    value(tiles.sessions, exact(total.active));
    setText(tiles.sessions.hint, `most ${exact(total.most)} · ${count(total.total)} in all`);
    value(tiles.rate, rate(total.rate.new), '/s');
    setText(tiles.rate.hint, `${exact(store.clusters.reduce((sum, cluster) => sum + (cluster.queue ?? 0), 0))} in queues`);
    value(tiles.in, perSecond[0], `${perSecond[1]}/s`);
    setText(tiles.in.hint, `${bytes(total.in)} in all`);
    value(tiles.out, outPerSecond[0], `${outPerSecond[1]}/s`);
    setText(tiles.out.hint, `${bytes(total.out)} in all`);
    value(tiles.members, exact(up), `of ${exact(counted.length)}`);
    setText(tiles.members.hint, store.members.length > counted.length ? `${exact(store.members.length - counted.length)} out of service` : 'none out of service');
    value(tiles.refused, rate(store.refusedRate), '/s');
    setText(tiles.refused.hint, `${exact(store.refused)} in all`);
    if (store.time - lastStep >= stepMilliseconds) {
      lastStep = store.time;
      push(total.history?.refused_per_second, store.refusedRate);
      push(total.history?.members_up, up);
    }
    tiles.sessions.plot.draw(total.history?.sessions);
    tiles.rate.plot.draw(total.history?.new_per_second);
    tiles.in.plot.draw(total.history?.in_per_second);
    tiles.out.plot.draw(total.history?.out_per_second);
    tiles.members.plot.draw(total.history?.members_up);
    tiles.refused.plot.draw(total.history?.refused_per_second);
  }

  function drawAttention() {
    const line = (state, what, sub, href) => h('li', null, pill(state.kind, state.text), h('div.what', null, h('a', { href }, what), sub ? h('div.sub', null, sub) : null));
    const lines = [];
    if (store.draining) lines.push(h('li', null, pill('warn', 'Draining'), h('div.what', null, `The proxy stops. ${exact(store.total.active)} sessions are left.`)));
    for (const member of store.members) {
      if (lines.length >= 7) break;
      if (['down', 'warn', 'drain'].includes(member.shown?.kind)) {
        lines.push(line(member.shown, `${member.cluster.id} / ${member.id}`, member.shown.kind === 'down' ? member.checkText ?? `${exact(member.dialFailures)} failed dials` : `${exact(member.active)} sessions`,
          `#pools/${enc(member.cluster.id)}/${enc(member.id)}`));
      }
    }
    for (const certificate of certificates.soon()) {
      if (lines.length >= 9) break;
      lines.push(line(certificate.state, certificate.id, certificate.not_after ? `certificate ends ${day(certificate.not_after)}` : 'no certificate is served', '#certificates'));
    }
    const key = lines.map((one) => one.textContent).join();
    if (attention.dataset.key === key) return;
    attention.dataset.key = key;
    put(attention, lines.length ? lines : h('li', null, pill('up', 'All well'), h('div.what', null, 'Every member in service is up.')));
  }

  return {
    id: 'overview', title: 'Overview', element,
    frame() { if (lastStep === Infinity) lastStep = store.time; drawTiles(); flow.update(); drawAttention(); },
    events(list) { put(recent, list.slice(0, 5).map((event) => h('li', null, eventPill(event), h('div.what', null, eventText(event)), timeOf(event.time)))); },
  };
}
