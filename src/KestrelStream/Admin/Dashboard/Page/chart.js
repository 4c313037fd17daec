// Sparklines: one path for the line, one for the area below it, over the last quarter of an hour, or what there is of it. Their box is stretched by the page.
const shortest = 24;

function spark(kind = '') {
  const area = svg('path.area');
  const line = svg('path.line');
  const element = svg(`svg.spark${kind ? `.${kind}` : ''}`, { viewBox: `0 0 ${historySteps} 100`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, area, line);
  return { element, draw: (values) => drawSpark(line, area, values) };
}

function drawSpark(line, area, values) {
  const known = values ?? [];
  const top = Math.max(1e-9, ...known) * 1.1;
  const wide = historySteps / Math.max(shortest, known.length);
  let path = '';
  for (let i = 0; i < known.length; i++) path += `${i ? 'L' : 'M'}${(historySteps - (known.length - 1 - i) * wide).toFixed(1)} ${(98 - (known[i] / top) * 92).toFixed(1)}`;
  if (line.getAttribute('d') === path) return;
  line.setAttribute('d', path);
  area.setAttribute('d', known.length ? `${path}L${historySteps} 100L${(historySteps - (known.length - 1) * wide).toFixed(1)} 100Z` : '');
}

// A sparkline with its scale, for where there is room.
function chart(title, kind, valuesOf, format) {
  const plot = spark(kind);
  const most = h('span');
  const start = h('span');
  const current = h('strong');
  const element = h('div.chart', null,
    h('div.scale', null, h('span', null, title), current), plot.element,
    h('div.scale', null, start, most, h('span', null, 'now')));
  return {
    element,
    draw() {
      const values = valuesOf() ?? [];
      plot.draw(values);
      setText(start, `${span(Math.max(shortest, values.length) * stepMilliseconds)} ago`);
      setText(most, `most ${format(Math.max(0, ...values))}`);
      setText(current, values.length ? format(values[values.length - 1]) : '–');
    },
  };
}
