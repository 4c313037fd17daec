function explainView() {
  const listener = h('select.field', { id: 'explain-listener' });
  const field = (id, placeholder) => h('input.field', { id: `explain-${id}`, placeholder, autocomplete: 'off', spellcheck: 'false' });
  const sni = field('sni', 'app.example.com');
  const alpn = field('alpn', 'h2,http/1.1');
  const client = field('client', '203.0.113.9');
  const hello = h('textarea.field.mono', { id: 'explain-hello', rows: '3', placeholder: '16 03 01 …', spellcheck: 'false' });
  const result = h('div.view', { 'aria-live': 'polite' });
  const labelled = (text, input) => h('div', null, h('label.name', { for: input.id }, text), input);
  const element = h('section.view', { 'aria-labelledby': 'explain-title' },
    h('div.head', null, h('h1', { id: 'explain-title' }, 'Explain'), h('span.muted', null, 'Where would this client go, and why?')),
    h('div.card', null, h('form.body.form', { onsubmit: (event) => { event.preventDefault(); run(); } },
      labelled('Listener', listener), labelled('Server name', sni), labelled('ALPN', alpn), labelled('Client', client),
      h('button.button.primary', { type: 'submit' }, 'Explain'),
      h('details.wide', null, h('summary', null, 'First bytes in hex, instead of a name'), labelled('ClientHello', hello)))),
    result);

  async function run() {
    try {
      const bytesGiven = hello.value.trim();
      const answer = await get(`api/explain${query({ listener: listener.value, client: client.value.trim(), ...(bytesGiven ? { hello: bytesGiven } : { sni: sni.value.trim(), alpn: alpn.value.trim() }) })}`);
      show(answer);
    } catch (error) {
      put(result, h('div.card', null, h('p.empty', null, error.message)));
    }
  }

  function show(answer) {
    const step = (name, value, kind = '') => h(`div.step${kind}`, null, h('small', null, name), value);
    const steps = [step('Listener', listener.value), step('Client', answer.client.error ?? answer.client.sni ?? { any: 'any', not_tls: 'not TLS', start_tls: 'asks for TLS' }[answer.client.kind] ?? answer.client.kind)];
    if (answer.route) steps.push(step('Route', answer.route));
    if (answer.certificate) steps.push(step('Certificate', answer.certificate));
    if (answer.cluster) steps.push(step('Cluster', answer.cluster));
    if (answer.destination) steps.push(step('Member', answer.destination, '.good'));
    if (answer.end_reason) steps.push(step('Ends as', answer.end_reason, '.end'));
    const path = steps.flatMap((one, i) => (i ? [h('span.muted', { 'aria-hidden': 'true' }, '→'), one] : [one]));
    const line = (won, matched, name, why) => h(`li${won ? '.won' : matched ? '' : '.no'}`, null, h('span.mark', { 'aria-label': won ? 'chosen' : matched ? 'would do' : 'no' }, won ? '✓' : matched ? '·' : '–'), h('span', null, name), h('span', null, why));
    put(result,
      h('div.card', null, h('div.body', null, h('div.path', null, path))),
      h('div.pair', null,
        h('div.card', null, h('header', null, h('h2', null, 'Routes, in the order of trial')), h('div.body', null,
          answer.considered.length ? h('ol.considered', null, answer.considered.map((one) => line(one.route === answer.route, one.matched, one.route, one.why))) : h('p.muted', null, 'None was asked.'))),
        h('div.card', null, h('header', null, h('h2', null, 'Members')), h('div.body', null,
          answer.members.length ? h('ol.considered', null, answer.members.map((one) => line(one.chosen, one.available, one.destination, one.why))) : h('p.muted', null, 'None was asked.')))));
  }

  return {
    id: 'explain', title: 'Explain', element,
    enter([listenerId, name, address]) {
      const chosen = listenerId ?? listener.value;
      put(listener, store.listeners.map((one) => h('option', { value: one.id }, `${one.id} (${one.address})`)));
      if (store.listeners.some((one) => one.id === chosen)) listener.value = chosen;
      if (name !== undefined) { sni.value = name; client.value = address ?? ''; if (listener.value) run(); }
    },
  };
}
