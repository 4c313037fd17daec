// All paths are relative to the page, which may live below a prefix. The token is kept for this tab alone, and goes into a header and nowhere else.
const tokenKey = 'kestrelstream-token';
let token = sessionStorage.getItem(tokenKey);

class ApiError extends Error {
  constructor(status, problem) {
    const errors = (problem?.errors ?? []).map((error) => `${error.path}: ${error.message}`).join('\n');
    super(errors || problem?.detail || problem?.title || `The proxy answered with ${status}.`);
    this.status = status;
  }
}

async function call(method, path, body) {
  const headers = {};
  if (token && method !== 'GET') headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: 'no-store', credentials: 'same-origin' });
  if (!response.ok) throw new ApiError(response.status, await response.json().catch(() => null));
  return response;
}

const get = async (path) => (await call('GET', path)).json();

// A change, with its outcome said to the user. True = it was made.
async function change(method, path, body, done) {
  try {
    await call(method, path, body);
    toast(done);
    return true;
  } catch (error) {
    toast(error.message, true);
    if (error.status === 401) forgetToken();
    return false;
  }
}

const enc = encodeURIComponent;
const query = (values) => {
  const given = Object.entries(values).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  return given.length ? `?${given.map(([key, value]) => `${key}=${enc(value)}`).join('&')}` : '';
};
