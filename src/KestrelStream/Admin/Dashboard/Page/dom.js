// Elements, without a template: texts are always text, so nothing that a client or a configuration says can become markup.
const $ = (id) => document.getElementById(id);

function put(element, ...children) {
  element.replaceChildren(...children.flat(4).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// h('div.card.wide', { title: 'x', onclick: f }, 'text', child, …)
function make(namespace, tag, properties, children) {
  const [name, ...classes] = tag.split('.');
  const element = namespace ? document.createElementNS(namespace, name) : document.createElement(name);
  if (classes.length) element.setAttribute('class', classes.join(' '));
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  return put(element, children);
}

const h = (tag, properties, ...children) => make(null, tag, properties, children);
const svg = (tag, properties, ...children) => make('http://www.w3.org/2000/svg', tag, properties, children);

// Writes only what differs: a text that is set anew costs a layout all the same.
function setText(element, text) {
  if (element.firstChild?.nodeType === Node.TEXT_NODE && element.childNodes.length === 1) {
    if (element.firstChild.data !== text) element.firstChild.data = text;
  } else element.textContent = text;
}

function setClass(element, name) {
  if (element.getAttribute('class') !== name) element.setAttribute('class', name);
}

const pill = (kind, text) => h(`span.pill.${kind}`, null, text);

function toast(text, isError = false) {
  const element = h(`div.toast${isError ? '.error' : ''}`, null, text);
  $('toasts').append(element);
  setTimeout(() => element.remove(), isError ? 9000 : 4500);
}

// Asks before something that cannot be taken back. True = yes.
function ask(title, text, yes) {
  const dialog = $('ask');
  return new Promise((resolve) => {
    const done = (answer) => () => { dialog.onclose = null; dialog.close(); resolve(answer); };
    put(dialog, h('div.inner', null,
      h('h2', { id: 'ask-title' }, title),
      h('p', null, text),
      h('div.actions', null,
        h('button.button.primary', { type: 'button', onclick: done(true) }, yes),
        h('button.button', { type: 'button', onclick: done(false) }, 'Cancel'))));
    dialog.onclose = () => resolve(false);
    dialog.showModal();
  });
}
