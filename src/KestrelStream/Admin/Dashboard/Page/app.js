const views = [overviewView(), poolsView(), sessionsView(), refusedView(), explainView(), certificatesView(), configView()];
let view = null;
let toldTimes = 0;

function route() {
  const [id, ...rest] = location.hash.slice(1).split('/').map(decodeURIComponent);
  const next = views.find((one) => one.id === id) ?? views[0];
  if (id === 'main') return;
  if (next !== view) {
    if ($('drawer').open && rest.length < 2) $('drawer').close();
    view?.leave?.();
    view = next;
    put($('main'), view.element);
    document.title = `${view.title} · KestrelStream`;
    for (const link of document.querySelectorAll('.views a')) {
      if (link.hash === `#${view.id}`) { link.setAttribute('aria-current', 'page'); link.scrollIntoView({ block: 'nearest', inline: 'nearest' }); } else link.removeAttribute('aria-current');
    }
    scrollTo(0, 0);
  } else if ($('drawer').open && rest.length < 2) $('drawer').close();
  view.enter?.(rest);
  if (store.model) view.frame?.({});
}

function showStatus(kind, text) {
  setClass($('status'), `pill ${kind}`);
  setText($('status'), text);
}

async function loadEvents() {
  const events = await get('api/config/history');
  for (const one of views) one.events?.(events);
}

onFrame((news) => {
  showStatus(store.draining ? 'warn' : 'up', store.draining ? 'Draining' : 'Live');
  setText($('count-sessions'), count(store.total.active));
  const down = store.members.reduce((sum, member) => sum + (member.shown.kind === 'down' ? 1 : 0), 0);
  $('count-down').hidden = !down;
  setText($('count-down'), String(down));
  if (news.events) loadEvents().catch(() => {});
  if (!document.hidden) view?.frame?.(news);
  drawerUpdate?.();
  if (store.time - toldTimes > 5000) {
    toldTimes = store.time;
    for (const element of document.querySelectorAll('time[data-ago]')) setText(element, ago(element.dateTime));
  }
});

// Theme: like the system, or as chosen.
const themes = [['', 'like the system'], ['light', 'light'], ['dark', 'dark']];
let theme = Math.max(0, themes.findIndex(([name]) => name === (localStorage.getItem('kestrelstream-theme') ?? '')));
function showTheme() {
  const [name, text] = themes[theme];
  if (name) document.documentElement.dataset.theme = name; else delete document.documentElement.dataset.theme;
  $('theme').setAttribute('aria-label', `Colours: ${text}`);
  $('theme').title = `Colours: ${text}`;
}
$('theme').addEventListener('click', () => {
  theme = (theme + 1) % themes.length;
  localStorage.setItem('kestrelstream-theme', themes[theme][0]);
  showTheme();
});
showTheme();

// The stream; where there is none (too many look, or the server stops) the same is asked for now and then.
let stream = null;
let asking = 0;
function connect() {
  stream = new EventSource('api/live');
  stream.addEventListener('model', (event) => { clearInterval(asking); asking = 0; model(JSON.parse(event.data)); });
  stream.addEventListener('frame', (event) => applyFrame(JSON.parse(event.data)));
  stream.addEventListener('error', () => {
    showStatus('warn', 'Reconnecting');
    if (stream.readyState !== EventSource.CLOSED) return;
    asking ||= setInterval(poll, 3000);
    setTimeout(connect, 10000);
    poll();
  });
}

async function poll() {
  try {
    const answer = await get('api/live/now');
    model(answer.model);
    applyFrame(answer.frame);
  } catch { showStatus('down', 'No answer'); }
}

let first = true;
function model(next) {
  applyModel(next);
  if (!first) return;
  first = false;
  loadHistory().catch(() => {});
  // The model may open what the address names, now that it is known.
  queueMicrotask(() => setTimeout(route));
}

addEventListener('hashchange', route);
route();
connect();
tryToken(token).catch(() => forgetToken());
certificates.load().catch(() => {});
setInterval(() => certificates.load().catch(() => {}), 60000);
