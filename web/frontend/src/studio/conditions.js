// Conditions of the simple kind: a few comparisons of one field each, all joined by "and" or all by "or".
// What is not of this kind is left to those who write expressions.
const TOKEN = /\s*(?:("(?:[^"\\\n]|\\["\\])*"|'[^'\\\n]*')|(-?\d+(?:\.\d+)?)(?![\w.])|([^\W\d]\w*)|(==|!=|<=|>=|[<>[\](),]))/uy;
const COMPARED = ['==', '!=', '<', '<=', '>', '>='];
const CONSTANTS = { true: true, false: false, True: true, False: false };

function tokens(source) {
  const found = [];
  const text = source.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (!match) return null;
    const [, quoted, number, word, sign] = match;
    if (quoted !== undefined) found.push({ value: quoted[0] === '"' ? quoted.slice(1, -1).replace(/\\(["\\])/g, '$1') : quoted.slice(1, -1) });
    else if (number !== undefined) found.push({ value: Number(number) });
    else if (word in CONSTANTS) found.push({ value: CONSTANTS[word] });
    else found.push({ word: word ?? sign });
  }
  return found;
}

class Reader {
  constructor(found) {
    this.found = found;
    this.at = 0;
  }

  get next() {
    return this.found[this.at] ?? {};
  }

  take(word) {
    if (this.next.word !== word) return false;
    this.at += 1;
    return true;
  }

  name() {
    const { word } = this.next;
    if (!word || !/^[^\W\d]\w*$/u.test(word) || ['and', 'or', 'not', 'in', 'if', 'else', 'is', 'null', 'None'].includes(word)) throw new SyntaxError(word);
    this.at += 1;
    return word;
  }

  value() {
    if (!('value' in this.next)) throw new SyntaxError(this.next.word);
    return this.found[this.at++].value;
  }

  must(word) {
    if (!this.take(word)) throw new SyntaxError(word);
  }

  list() {
    const values = [];
    this.must('[');
    while (!this.take(']')) {
      if (values.length) this.must(',');
      values.push(this.value());
    }
    return values;
  }

  condition() {
    const clauses = [this.clause()];
    const join = ['and', 'or'].find((word) => this.next.word === word) ?? 'and';
    while (this.take(join)) clauses.push(this.clause());
    if (this.at < this.found.length) throw new SyntaxError(this.next.word);
    return { join, clauses };
  }

  clause() {
    if ('value' in this.next) return this.contained();
    const negated = this.take('not');
    if (this.take('defined')) return this.filled(negated);
    const field = this.name();
    if (negated) return { field, operator: 'false' };
    const compared = COMPARED.find((sign) => this.take(sign));
    if (compared) return { field, operator: compared, value: this.value() };
    if (this.take('not')) {
      this.must('in');
      return { field, operator: 'not in', value: this.list() };
    }
    if (this.take('in')) return { field, operator: 'in', value: this.list() };
    return { field, operator: 'true' };
  }

  contained() {
    const value = this.value();
    const negated = this.take('not');
    this.must('in');
    return { field: this.name(), operator: negated ? 'lacks' : 'has', value };
  }

  filled(negated) {
    this.must('(');
    const field = this.name();
    this.must(')');
    return { field, operator: negated ? 'unfilled' : 'filled' };
  }
}

/** `{join, clauses: [{field, operator, value}]}`, or null for an expression of another kind. */
export function readCondition(source) {
  const found = tokens(source);
  if (!found?.length) return null;
  try {
    return new Reader(found).condition();
  } catch (problem) {
    if (problem instanceof SyntaxError) return null;
    throw problem;
  }
}

function literal(value) {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  return typeof value === 'string' ? `"${value.replace(/["\\]/g, '\\$&')}"` : String(value);
}

function writeClause({ field, operator, value }) {
  switch (operator) {
    case 'true': return field;
    case 'false': return `not ${field}`;
    case 'filled': return `defined(${field})`;
    case 'unfilled': return `not defined(${field})`;
    case 'has': return `${literal(value)} in ${field}`;
    case 'lacks': return `${literal(value)} not in ${field}`;
    default: return `${field} ${operator} ${literal(value)}`;
  }
}

/** The engine's expression for a condition. */
export const writeCondition = ({ join, clauses }) => clauses.map(writeClause).join(` ${join} `);
