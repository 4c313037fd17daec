// Runs inside the page: what a screen reader and weak eyes need.

// Text whose contrast with what is behind it is below AA (WCAG 2, 1.4.3).
export function weakContrast() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = rgba(getComputedStyle(one).backgroundColor);
      if (color[3] > 200) return color;
    }
    return [255, 255, 255, 255];
  };
  const weak = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility?.({ visibilityProperty: true }) || element.closest(':disabled, .sr, script, style, title, noscript')) continue;
    const style = getComputedStyle(element);
    const front = rgba(element instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [luminance(front), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) weak.add(`${walker.currentNode.data.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return [...weak];
}

// Controls without a name, images without a text, ids that are there twice, headings that are missing.
export function nameless() {
  const found = [];
  const nameOf = (element) => element.getAttribute('aria-label') ?? (element.labels?.[0]?.textContent || element.textContent || element.title || '');
  for (const element of document.querySelectorAll('button, a[href], input, select, textarea')) {
    if (!nameOf(element).trim()) found.push(element.outerHTML.slice(0, 120));
  }
  for (const element of document.querySelectorAll('svg:not([aria-hidden]):not([aria-label]), img:not([alt])')) if (!element.closest('[aria-hidden]')) found.push(element.outerHTML.slice(0, 120));
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  for (const id of new Set(ids.filter((one, i) => ids.indexOf(one) !== i))) found.push(`id ${id} twice`);
  if (document.querySelectorAll('main h1').length !== 1) found.push('not one h1');
  for (const row of document.querySelectorAll('[role=row]')) if (!row.parentElement.matches('[role=rowgroup]')) found.push('a row outside of a rowgroup');
  return found;
}
