// Takes out of Tabler what this application can never show. A rule goes only when every one of its selectors is named here.
const UNUSED = [
  // needs Bootstrap's JavaScript, which is not shipped: <dialog> and <details> do the work
  'carousel', 'offcanvas', 'modal', 'popover', 'tooltip', 'toast', 'accordion', 'collaps(?:e|ing)\\b', 'dropstart', 'dropend', 'dropup',
  // widgets of other vendors and decoration without a use here
  'io-', 'ts-', 'otp', 'ribbon', 'signal', 'sparkline', 'signature', 'strength', 'mention', 'chat', 'sortable', 'calendar', 'markdown', 'animated',
  'img-responsive', 'object-', 'ratio', 'chart', 'stars', 'social', 'playing', 'theme-[a-z]+', 'card-stacked', 'card-rotate', 'card-sponsor', 'ph-', 'legend', 'tracking', 'hr-text', 'placeholder',
  // widths between phone, tablet and desktop that no page uses
  'navbar-expand-(?:sm|md|xl|xxl)\\b', '[a-z-]+-xxl\\b', 'navbar-vertical', 'navbar-overlap', 'offset-', 'order-', 'bg-gradient-', 'g[xy]?-(?:sm|xl)-', '(?:[mp][tblrsexy]?|row-gap|column-gap|gap|float|object-fit)-xl-',
];
const unused = new RegExp(`(?:\\.(?:${UNUSED.join('|')}))|\\[data-vc|\\.vc-`);

/** Splits at top-level commas: those outside brackets and quotes. */
function selectors(list) {
  const parts = [''];
  let depth = 0;
  for (const char of list) {
    if ('([' .includes(char)) depth += 1;
    if (')]'.includes(char)) depth -= 1;
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

/** Reads one block after another; `keep` decides about the plain rules, at-rules that hold rules are read inside. */
export function trim(css, keep = (selector) => !unused.test(selector)) {
  let out = '';
  let at = 0;
  while (at < css.length) {
    const open = css.indexOf('{', at);
    if (open < 0) return out + css.slice(at);
    const end = closing(css, open);
    const [, before, head] = css.slice(at, open).match(/^([^]*;)?([^]*)$/);
    const body = css.slice(open + 1, end);
    out += before ?? '';
    if (/^\s*@(media|supports|layer|container)/.test(head)) {
      const inner = trim(body, keep);
      if (inner.trim()) out += `${head}{${inner}}`;
    } else if (/^\s*@/.test(head)) {
      out += `${head}{${body}}`;
    } else {
      const kept = selectors(head).filter(keep);
      if (kept.length) out += `${kept.join(',')}{${body}}`;
    }
    at = end + 1;
  }
  return out;
}

function closing(css, open) {
  let depth = 0;
  let quote = '';
  for (let at = open; at < css.length; at += 1) {
    const char = css[at];
    if (quote) {
      if (char === '\\') at += 1;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '{') depth += 1;
    else if (char === '}' && (depth -= 1) === 0) return at;
  }
  throw new Error('unclosed block in the style sheet');
}
