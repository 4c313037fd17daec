// Whether this page may change things: with the token of the configuration, or without one over the server's own unix socket.
const access = { mayChange: false };

function showAccess() {
  setText($('access').querySelector('.label'), access.mayChange ? 'Unlocked' : 'Unlock');
  $('access').setAttribute('aria-label', access.mayChange ? 'Changes are unlocked. Lock them' : 'Unlock changes with the token');
  $('access').querySelector('#shackle').setAttribute('d', access.mayChange ? 'M5.5 9V6.5a4.5 4.5 0 0 1 8.6-1.8' : 'M5.5 9V6.5a4.5 4.5 0 0 1 9 0V9');
}

function forgetToken() {
  token = null;
  sessionStorage.removeItem(tokenKey);
  access.mayChange = false;
  showAccess();
}

async function tryToken(given) {
  const response = await fetch('api/access', { headers: given ? { authorization: `Bearer ${given}` } : {}, cache: 'no-store', credentials: 'same-origin' });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer);
  access.mayChange = answer.changes;
  access.needs = answer.needs;
  if (answer.changes && given) {
    token = given;
    sessionStorage.setItem(tokenKey, given);
  }
  showAccess();
  return answer;
}

function askToken() {
  const dialog = $('ask');
  const input = h('input.field', { id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true, 'aria-describedby': 'token-hint' });
  const wrong = h('p', { role: 'alert', hidden: true });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await tryToken(input.value.trim());
      dialog.close();
      toast('Changes are unlocked for this tab.');
    } catch (error) {
      wrong.hidden = false;
      setText(wrong, error.message);
      input.select();
    }
  };
  put(dialog, h('form.inner', { onsubmit: submit },
    h('h2', { id: 'ask-title' }, 'Unlock changes'),
    h('div', null, h('label.name', { for: 'token' }, 'Token'), input, h('p.muted', { id: 'token-hint' }, 'Admin:Token of the configuration. It is kept for this tab alone.')),
    wrong,
    h('div.actions', null, h('button.button.primary', { type: 'submit' }, 'Unlock'), h('button.button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'))));
  dialog.onclose = null;
  dialog.showModal();
  input.focus();
}

$('access').addEventListener('click', () => {
  if (access.needs === 'impossible') toast('The configuration has no Admin:Token: nothing can be changed here.', true);
  else if (!access.mayChange) askToken();
  else if (token) { forgetToken(); toast('Changes are locked.'); }
});
