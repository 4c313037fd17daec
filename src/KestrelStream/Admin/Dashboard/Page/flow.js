// Listeners → routes → clusters → members as a picture: the wider a line, the more bytes go that way. Side by side, or one below the other where the
// screen is narrow. The busiest of each kind are shown, the others stand together in one box.
function flowPicture() {
  const element = svg('svg.flow', { role: 'group', 'aria-label': 'Flow from listeners over routes and clusters to members' });
  let drawn = '';
  let boxes = [];
  let edges = [];

  function layout() {
    const width = Math.max(300, element.parentElement?.clientWidth - 32 || 900);
    const isTall = width < 640;
    const most = isTall ? 3 : 9;
    const columns = [
      { title: 'Listeners', items: busiest(store.listeners, most) },
      { title: 'Routes', items: busiest(store.routes, most) },
      { title: 'Clusters', items: busiest(store.clusters, most) },
      { title: 'Members', items: busiest(store.members, most) },
    ];
    untangle(columns.map((column) => column.items));
    const key = JSON.stringify([width, columns.map((column) => column.items.map((item) => item.key + item.parts.length))]);
    if (key === drawn) return;
    drawn = key;
    const places = isTall ? placeTall(columns, width) : placeWide(columns, width);
    element.setAttribute('viewBox', `0 0 ${width} ${places.height}`);
    element.setAttribute('height', places.height);
    const parts = draw(columns, places, isTall);
    put(element, parts);
  }

  function draw(columns, places, isTall) {
    boxes = columns.flatMap((column) => column.items.map((item) => box(item, places)));
    edges = links(columns).map(([from, to, of]) => edge(places.of(from), places.of(to), of, isTall)).filter(Boolean);
    const headings = columns.map((column, i) => svg('text.heading', { x: places.heading[i][0], y: places.heading[i][1] }, column.title));
    return [svg('g', { 'aria-hidden': 'true' }, edges.map((one) => one.element)), headings, boxes.map((one) => one.element)];
  }

  return {
    element,
    update() {
      layout();
      const top = Math.max(1, ...edges.map((one) => one.volume()));
      for (const one of edges) one.update(top);
      for (const one of boxes) one.update();
    },
  };
}

const weightOf = (one) => one.rate.in + one.rate.out + one.rate.new * 100 + one.active / 1e3 + one.total / 1e9;

// The same ones as long as they are all shown; otherwise those with most sessions so far, which does not jump about.
function busiest(list, most) {
  if (list.length <= most) return list.map((one) => ({ key: one.key, parts: [one], one }));
  const top = new Set([...list].sort((a, b) => b.total - a.total || (a.key < b.key ? -1 : 1)).slice(0, most - 1));
  const rest = list.filter((one) => !top.has(one));
  return [...list.filter((one) => top.has(one)).map((one) => ({ key: one.key, parts: [one], one })), { key: `more ${list[0].key[0]}`, parts: rest, one: null }];
}

// Boxes stand where their lines come from, so that few of them cross; where that says nothing, in the order of their names.
function untangle([listeners, routes, clusters, members]) {
  const middle = (items, places) => {
    const known = places.map((one) => items.findIndex((item) => item.parts.includes(one))).filter((place) => place >= 0);
    return known.length ? known.reduce((sum, place) => sum + place, 0) / known.length : items.length;
  };
  const arrange = (items, before, sources) => {
    const place = new Map(items.map((item) => [item, item.one ? middle(before, item.parts.flatMap(sources)) : 1e9]));
    items.sort((a, b) => place.get(a) - place.get(b));
  };
  arrange(routes, listeners, (route) => route.listeners);
  arrange(clusters, routes, (cluster) => store.routes.filter((route) => route.cluster === cluster));
  arrange(members, clusters, (member) => [member.cluster]);
}

const itemOf = (items, one) => items.find((item) => item.parts.includes(one));

function links(columns) {
  const [listeners, routes, clusters, members] = columns.map((column) => column.items);
  const found = new Map();
  const add = (from, to, of) => {
    if (!from || !to) return;
    const key = `${from.key} ${to.key}`;
    if (!found.has(key)) found.set(key, [from, to, []]);
    found.get(key)[2].push(of);
  };
  for (const route of store.routes) {
    for (const listener of route.listeners) add(itemOf(listeners, listener), itemOf(routes, route), { one: route, share: 1 / route.listeners.length });
    if (route.cluster) add(itemOf(routes, route), itemOf(clusters, route.cluster), { one: route, share: 1 });
  }
  for (const member of store.members) add(itemOf(clusters, member.cluster), itemOf(members, member), { one: member, share: 1 });
  return [...found.values()];
}

function placeWide(columns, width) {
  const gap = Math.max(44, width * 0.075);
  const boxWidth = (width - gap * 3) / 4;
  const rows = Math.max(1, ...columns.map((column) => column.items.length));
  const rowHeight = 54;
  const height = 26 + rows * rowHeight;
  const spots = new Map();
  columns.forEach((column, i) => {
    const start = 26 + ((rows - column.items.length) * rowHeight) / 2;
    column.items.forEach((item, j) => spots.set(item.key, { x: i * (boxWidth + gap), y: start + j * rowHeight, w: boxWidth, h: 46 }));
  });
  return { height, of: (item) => spots.get(item.key), heading: columns.map((_, i) => [i * (boxWidth + gap) + 1, 14]) };
}

function placeTall(columns, width) {
  const rowHeight = 112;
  const spots = new Map();
  columns.forEach((column, i) => {
    const gap = 8;
    const boxWidth = Math.min(190, (width - gap * (column.items.length - 1)) / Math.max(1, column.items.length));
    const used = boxWidth * column.items.length + gap * (column.items.length - 1);
    column.items.forEach((item, j) => spots.set(item.key, { x: (width - used) / 2 + j * (boxWidth + gap), y: 18 + i * rowHeight, w: boxWidth, h: 46 }));
  });
  return { height: 3 * rowHeight + 68, of: (item) => spots.get(item.key), heading: columns.map((_, i) => [0, 12 + i * rowHeight]) };
}

function edge(from, to, of, isTall) {
  if (!from || !to) return null;
  const element = svg('path.edge');
  if (isTall) {
    const [x1, y1, x2, y2] = [from.x + from.w / 2, from.y + from.h, to.x + to.w / 2, to.y];
    element.setAttribute('d', `M${x1} ${y1}C${x1} ${(y1 + y2) / 2} ${x2} ${(y1 + y2) / 2} ${x2} ${y2}`);
  } else {
    const [x1, y1, x2, y2] = [from.x + from.w, from.y + from.h / 2, to.x, to.y + to.h / 2];
    element.setAttribute('d', `M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`);
  }
  const volume = () => of.reduce((total, { one, share }) => total + (one.rate.in + one.rate.out + one.rate.new) * share, 0);
  return {
    element,
    volume,
    update(top) {
      const now = volume();
      const share = now > 0 ? Math.max(0.06, Math.sqrt(now / top)) : 0;
      const isBad = of.every(({ one }) => one.shown?.kind === 'down');
      setClass(element, `edge${isBad ? ' bad' : now > 0 ? '' : ' idle'}`);
      element.setAttribute('stroke-width', (1 + share * 13).toFixed(1));
      element.setAttribute('stroke-opacity', now > 0 ? '0.34' : '0.8');
    },
  };
}

function box(item, places) {
  const { x, y, w, h: height } = places.of(item);
  const name = svg('text.name', { x: x + 14, y: y + 19 });
  const line = svg('text.rate', { x: x + 14, y: y + 36 });
  const title = svg('title');
  const group = svg('g.plain', null, title,
    svg('rect.box', { x: x + 0.5, y: y + 0.5, width: w - 1, height: height - 1, rx: 8 }),
    svg('rect.bar', { x: x + 5, y: y + 9, width: 3, height: height - 18, rx: 1.5 }), name, line);
  const element = svg('a', { href: targetOf(item), tabindex: '0' }, group);
  const fit = (text, size) => { const most = Math.floor((w - 22) / size); return text.length <= most ? text : `${text.slice(0, Math.max(1, most - 1))}…`; };
  setText(name, fit(nameOf(item), 7.4));
  return {
    element,
    update() {
      const sum = (value) => item.parts.reduce((total, one) => total + value(one), 0);
      const rates = `${rate(sum((one) => one.rate.new))}/s · ${bytesRate(sum((one) => one.rate.in + one.rate.out))}`;
      setText(line, fit(w < 130 ? rates.split(' · ')[0] : rates, 6.3));
      setClass(group, kindOf(item));
      const state = item.one?.shown?.text ? `, ${item.one.shown.text}` : '';
      const match = item.one?.match ? ` (${item.one.match})` : '';
      setText(title, `${nameOf(item)}${match}${state}: ${exact(sum((one) => one.active))} sessions, ${rates}`);
    },
  };
}

const nameOf = (item) => item.one?.id ?? `${exact(item.parts.length)} more`;

function kindOf(item) {
  const members = item.one?.members ?? (item.parts[0].cluster && item.parts[0].shown ? item.parts : null);
  if (!members) return item.parts.every((one) => one.action === 'Reject') ? 'warn' : 'plain';
  const counted = members.filter((member) => member.shown?.kind !== 'drain');
  const down = counted.filter((member) => member.shown?.kind === 'down').length;
  if (members.length === 1) return members[0].shown?.kind ?? 'plain';
  return counted.length === 0 ? 'drain' : down === 0 ? 'up' : down === counted.length ? 'down' : 'warn';
}

function targetOf(item) {
  const one = item.one;
  if (!one) return item.key.endsWith('m') || item.key.endsWith('c') ? '#pools' : '#overview';
  if (one.key.startsWith('m:')) return `#pools/${enc(one.cluster.id)}/${enc(one.id)}`;
  if (one.key.startsWith('c:')) return `#pools/${enc(one.id)}`;
  return `#sessions/${one.key[0] === 'l' ? 'listener' : 'route'}/${enc(one.id)}`;
}
