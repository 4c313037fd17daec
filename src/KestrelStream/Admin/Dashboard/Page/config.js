const eventPill = (event) => pill({ Rejected: 'down', Change: 'drain', Rollback: 'warn' }[event.kind] ?? 'up', event.kind === 'Start' ? 'Started' : event.kind === 'Change' ? 'Changed' : event.kind === 'Reload' ? 'Reloaded' : event.kind === 'Rollback' ? 'Rolled back' : 'Rejected');

function eventText(event) {
  if (event.kind === 'Change') return `${event.what}: ${shortened(event.from, event.to)}`;
  if (event.kind === 'Rejected') return `A reload had ${event.errors.length} ${event.errors.length === 1 ? 'mistake' : 'mistakes'}`;
  if (event.kind === 'Start') return `Generation ${event.generation}`;
  return `Generation ${event.generation}: ${event.changes_total === 0 ? 'nothing else' : `${event.changes_total} ${event.changes_total === 1 ? 'change' : 'changes'}`}`;
}

// Of two states of a destination, only the words that differ.
function shortened(from, to) {
  const before = (from ?? '').split(' ');
  const after = (to ?? '').split(' ');
  const gone = before.filter((word) => !after.includes(word));
  const come = after.filter((word) => !before.includes(word));
  const [[key, old] = [], [sameKey, fresh] = []] = [gone[0]?.split('='), come[0]?.split('=')];
  if (gone.length === 1 && come.length === 1 && key === sameKey && old && fresh) return `${key} ${old} → ${fresh}`;
  return `${gone.join(' ') || 'none'} → ${come.join(' ') || 'none'}`;
}

function configView() {
  const list = h('ol.timeline');
  const current = facts([
    ['Generation', () => String(store.generation)],
    ['In force since', () => (store.applied ? `${stamp(store.applied)}, ${ago(store.applied)}` : '')],
    ['Sessions', () => sessionsText],
  ]);
  const diff = h('div');
  const back = h('button.button', { type: 'button', hidden: true, onclick: rollBack }, 'Roll back');
  const element = h('section.view', { 'aria-labelledby': 'config-title' },
    h('div.head', null, h('h1', { id: 'config-title' }, 'Configuration'), h('span.push'), back, h('a.button', { href: 'api/config', target: '_blank', rel: 'noopener' }, 'As JSON')),
    h('div.pair', null,
      h('div.view', null,
        h('div.card', null, h('header', null, h('h2', null, 'In force')), h('div.body', null, current.element)),
        h('div.card', null, h('header', null, h('h2', null, 'Otherwise than the file'), h('button.button.quiet.push', { type: 'button', onclick: loadDiff }, 'Look again')), h('div.body', null, diff))),
      h('div.card', null, h('header', null, h('h2', null, 'What changed')), h('div.body', null, list))));
  let sessionsText = '';

  const shown = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
  const changes = (entries, before, after) => h('ul.diff', null, entries.map((one) => h('li', null, h('span.path-name', null, one.path),
    one.error ? h('del', null, one.error)
      : [one[before] === null ? null : h('del', null, shown(one[before])), one[before] !== null && one[after] !== null ? ' → ' : '', one[after] === null ? null : h('ins', null, shown(one[after]))])));

  function draw(events) {
    put(list, events.map((event) => h(`li.${event.kind.toLowerCase()}`, null,
      h('div.line', null, h('strong', null, eventText(event)), event.who ? h('span.muted', null, `by ${event.who}`) : null, event.kind === 'Rollback' ? h('span.tag', null, 'rollback') : null, timeOf(event.time)),
      event.changes.length ? changes(event.changes, 'before', 'after') : null,
      event.changes_total > event.changes.length ? h('p.muted', null, `and ${exact(event.changes_total - event.changes.length)} more`) : null,
      event.errors.length ? h('ul.diff', null, event.errors.map((error) => h('li', null, h('span.path-name', null, error.path), h('del', null, error.message)))) : null)));
  }

  async function loadDiff() {
    try {
      const entries = await get('api/config/diff');
      put(diff, entries.length ? changes(entries, 'file', 'running') : h('p.muted', null, 'Nothing: what runs is what the file says.'));
    } catch (error) { put(diff, h('p.muted', null, error.message)); }
  }

  async function loadSessions() {
    const config = await get('api/config');
    sessionsText = config.sessions.length ? config.sessions.map((one) => `${exact(one.active_sessions)} under generation ${one.id}`).join(' · ') : 'none';
    current.update();
  }

  async function rollBack() {
    if (await ask('Roll back?', 'The configuration before comes into force, as a reload would do it. The file stays as it is.', 'Roll back')) {
      await change('POST', 'api/config/rollback', undefined, 'The configuration before is in force.');
    }
  }

  return {
    id: 'config', title: 'Configuration', element,
    enter() { loadDiff(); loadSessions().catch(() => {}); },
    frame(news) { current.update(); back.hidden = !access.mayChange; if (news.events) { loadDiff(); loadSessions().catch(() => {}); } },
    events: draw,
  };
}
