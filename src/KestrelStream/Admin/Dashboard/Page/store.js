// What is known of the proxy: things by number, as the model lists them, with their latest numbers and rates. Views read it after each frame.
const historySteps = 180;
const stepMilliseconds = 5000;

const store = {
  model: null, time: 0, draining: false, refused: 0, events: 0, refusedRate: 0,
  listeners: [], routes: [], clusters: [], members: [], total: thing('total'),
  generation: 0, applied: null,
};

const listening = new Set();
const onFrame = (listener) => listening.add(listener);

function thing(id, facts = {}) {
  return { id, ...facts, active: 0, most: 0, total: 0, in: 0, out: 0, rate: { new: 0, in: 0, out: 0 }, seen: null, history: null, step: null };
}

function memberState(member) {
  if (member.state !== 'ready') return { kind: 'drain', text: { drain: 'Draining', maintenance: 'Maintenance', leaving: 'Leaving' }[member.state] ?? member.state };
  if (member.health === 'Unhealthy') return { kind: 'down', text: member.override === 'down' ? 'Forced down' : 'Down' };
  if (member.weight === 0) return { kind: 'drain', text: 'Weight 0' };
  if (member.max && member.active >= member.max) return { kind: 'warn', text: 'Full' };
  if (member.health === 'Unknown') return { kind: 'unknown', text: 'Unknown' };
  return { kind: 'up', text: member.override === 'up' ? 'Forced up' : 'Up' };
}

function applyModel(model) {
  const old = new Map([...store.listeners, ...store.routes, ...store.clusters, ...store.members].map((one) => [one.key, one]));
  const used = new Set();
  const keep = (wanted, id, facts) => {
    // A member that leaves may have the id of one that comes.
    let key = wanted;
    while (used.has(key)) key += '′';
    used.add(key);
    const known = old.get(key);
    return Object.assign(known ?? thing(id), facts, { key });
  };
  store.model = model;
  store.generation = model.generation;
  store.applied = model.applied;
  store.listeners = model.listeners.map((one) => keep(`l:${one.id}`, one.id, { address: one.address, max: one.max }));
  store.clusters = model.clusters.map((one) => keep(`c:${one.id}`, one.id, { policy: one.policy, queueMax: one.queue_max, queue: 0 }));
  store.routes = model.routes.map((one) => keep(`r:${one.id}`, one.id, {
    match: one.match, action: one.action, terminates: one.terminates,
    listeners: one.listeners.map((number) => store.listeners[number]), cluster: one.cluster === undefined ? null : store.clusters[one.cluster],
  }));
  store.members = model.clusters.flatMap((cluster, number) => cluster.members.map((one) => keep(`m:${cluster.id}/${one.id}`, one.id, {
    cluster: store.clusters[number], address: one.address, source: one.source, backup: !!one.backup, max: one.max,
  })));
  for (const cluster of store.clusters) cluster.members = store.members.filter((member) => member.cluster === cluster);
}

function applyFrame(frame) {
  const seconds = store.time ? (frame.t - store.time) / 1000 : 0;
  skew = frame.t - Date.now();
  const fill = (list, rows, names) => {
    for (const [number, ...values] of rows) {
      const one = list[number];
      if (one) names.forEach((name, i) => { one[name] = values[i]; });
    }
  };
  fill(store.listeners, frame.l, ['active', 'most', 'total', 'in', 'out']);
  fill(store.routes, frame.r, ['active', 'total', 'in', 'out']);
  fill(store.clusters, frame.q, ['queue']);
  fill(store.members, frame.m, ['active', 'most', 'total', 'in', 'out', 'dialFailures', 'failed']);
  fill(store.members, frame.h, ['state', 'health', 'weight', 'override', 'ejections', 'check', 'checkText', 'checkMs', 'checkAt']);
  for (const cluster of store.clusters) sum(cluster, cluster.members);
  sum(store.total, store.listeners);
  for (const member of store.members) member.shown = memberState(member);
  if (seconds > 0) store.refusedRate = ease(store.refusedRate, Math.max(0, frame.refused - store.refused) / seconds);
  for (const list of [store.listeners, store.routes, store.clusters, store.members, [store.total]]) {
    for (const one of list) measure(one, frame.t);
  }
  const news = { refused: frame.refused !== store.refused, events: frame.events !== store.events };
  Object.assign(store, { time: frame.t, draining: frame.draining, refused: frame.refused, events: frame.events });
  for (const listener of listening) listener(news);
}

function sum(whole, parts) {
  for (const name of ['active', 'most', 'total', 'in', 'out', 'dialFailures', 'failed']) {
    let value = 0;
    for (const part of parts) value += part[name] ?? 0;
    whole[name] = name === 'most' ? Math.max(whole.most, whole.active) : value;
  }
}

const ease = (before, value) => { const next = before * 0.6 + value * 0.4; return next < 0.02 ? 0 : next; };

function measure(one, time) {
  const seconds = one.seen ? (time - one.seen.time) / 1000 : 0;
  if (seconds > 0) {
    one.rate.new = ease(one.rate.new, Math.max(0, one.total - one.seen.total) / seconds);
    one.rate.in = ease(one.rate.in, Math.max(0, one.in - one.seen.in) / seconds);
    one.rate.out = ease(one.rate.out, Math.max(0, one.out - one.seen.out) / seconds);
  }
  if (!one.seen || seconds > 0) one.seen = { time, total: one.total, in: one.in, out: one.out };
  step(one, time);
}

// Goes on with the history that the proxy has told.
function step(one, time) {
  one.step ??= { time, total: one.total, in: one.in, out: one.out };
  const seconds = (time - one.step.time) / 1000;
  if (seconds * 1000 < stepMilliseconds) return;
  if (one.history) {
    push(one.history.sessions, one.active);
    push(one.history.new_per_second, Math.max(0, one.total - one.step.total) / seconds);
    push(one.history.in_per_second, Math.max(0, one.in - one.step.in) / seconds);
    push(one.history.out_per_second, Math.max(0, one.out - one.step.out) / seconds);
  }
  one.step = { time, total: one.total, in: one.in, out: one.out };
}

function push(list, value) {
  if (!list) return;
  list.push(value);
  if (list.length > historySteps) list.shift();
}

// Of everything, or of the members of a cluster.
async function loadHistory(cluster) {
  const history = await get(`api/history${query({ cluster: cluster?.id })}`);
  const give = (list, entries) => {
    const byId = new Map(entries.map((entry) => [entry.id, entry]));
    for (const one of list) one.history = one.full ?? byId.get(one.id) ?? { sessions: [], new_per_second: [], in_per_second: [], out_per_second: [] };
  };
  if (cluster) give(cluster.members, history.members);
  else {
    store.total.history = { sessions: [], new_per_second: [], in_per_second: [], out_per_second: [], ...history.total };
    give(store.listeners, history.listeners);
    give(store.clusters, history.clusters);
  }
}
