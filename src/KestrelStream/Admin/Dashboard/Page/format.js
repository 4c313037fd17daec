// Numbers and times for people. A number and its unit come apart where the unit is set smaller.
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const units = ['', 'k', 'M', 'G', 'T', 'P'];

function scaled(value, base) {
  let step = 0;
  let number = Math.abs(value);
  while (number >= (step === 0 && base === 1000 ? 10000 : base) && step < units.length - 1) { number /= base; step++; }
  const digits = number >= 100 || (step === 0 && Number.isInteger(number)) ? 0 : 1;
  return [(value < 0 ? '-' : '') + number.toFixed(digits), units[step]];
}

const count = (value) => { const [number, unit] = scaled(value, 1000); return number + unit; };
const exact = (value) => whole.format(value);
const bytesParts = (value) => { const [number, unit] = scaled(value, 1024); return [number, unit === 'k' ? 'KB' : unit ? unit + 'B' : 'B']; };
const bytes = (value) => bytesParts(value).join(' ');
const bytesRate = (value) => (value < 0.5 ? '0' : `${bytes(value)}/s`);
const rate = (value) => (value < 0.05 ? '0' : value < 10 ? value.toFixed(1) : count(Math.round(value)));

const spans = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  for (let i = 0; i < spans.length; i++) {
    const [size, unit] = spans[i];
    if (seconds >= size || size === 1) {
      const rest = i + 1 < spans.length && seconds < 10 * size ? Math.floor((seconds % size) / spans[i + 1][0]) : 0;
      return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${spans[i + 1][1]}` : ''}`;
    }
  }
}

const ago = (time) => { const age = now() - new Date(time).getTime(); return age < 2000 ? 'just now' : `${span(age)} ago`; };
const clock = (time) => new Date(time).toLocaleTimeString('en-GB');
const stamp = (time) => new Date(time).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const day = (time) => new Date(time).toLocaleDateString('en-GB', { dateStyle: 'medium' });

function timeOf(time, text = ago(time)) {
  return h('time', { datetime: new Date(time).toISOString(), title: stamp(time), 'data-ago': text === ago(time) }, text);
}

// The proxy's clock: that of the machine in front of it may differ.
let skew = 0;
const now = () => Date.now() + skew;
