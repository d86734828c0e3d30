// ISO 8601 spans such as P1DT2H, as numbers that people fill in.
const SPAN = /^P(?=.)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,7})H)?(?:(\d{1,8})M)?)?$/;
const CYCLE = /^R(\d{0,4})\/(P[^/]*)$/;

/** `{months, days, hours, minutes}`, or null for what cannot be put so. */
export function readSpan(text) {
  const found = text.trim().match(SPAN);
  if (!found) return null;
  const [years, months, weeks, days, hours, minutes] = found.slice(1).map((part) => Number(part ?? 0));
  return { months: years * 12 + months, days: weeks * 7 + days, hours, minutes };
}

export function writeSpan({ months, days, hours, minutes }) {
  const date = (months ? `${months}M` : '') + (days ? `${days}D` : '');
  const time = (hours ? `${hours}H` : '') + (minutes ? `${minutes}M` : '');
  return date || time ? `P${date}${time && `T${time}`}` : '';
}

/** `{times, span}`; no `times` repeats without end. */
export function readCycle(text) {
  const [, times, span] = text.trim().match(CYCLE) ?? [];
  const read = span && readSpan(span);
  return read ? { times: times ? Number(times) : null, span: read } : null;
}

export const writeCycle = ({ times, span }) => (writeSpan(span) ? `R${times || ''}/${writeSpan(span)}` : '');
