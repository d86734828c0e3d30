// A condition as rows of field – operator – value, and as the expression that the engine reads. What is more than rows stays text.
const TOKEN = /\s*(?:('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|(-?\d+(?:\.\d+)?)|([\p{L}_][\p{L}\p{N}_]*)|(==|!=|<=|>=|[<>()[\],]))/uy;
const CONSTANTS = { true: true, false: false, null: null, True: true, False: false, None: null };
const COMPARED = { '==': 'eq', '!=': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' };
const SIGNS = { lt: '<', le: '<=', gt: '>', ge: '>=' };
const WORDS = ['and', 'or', 'not', 'in', 'is', 'if', 'else'];

class Unreadable extends Error {}

const unquoted = (text) => text.slice(1, -1).replace(/\\(.)/g, (_, char) => ({ n: '\n', t: '\t' })[char] ?? char);

function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; text.slice(at).trim(); at = TOKEN.lastIndex) {
    const match = TOKEN.exec(text);
    if (!match) throw new Unreadable();
    const [, string, number, word, sign] = match;
    if (string) found.push({ literal: unquoted(string) });
    else if (number) found.push({ literal: Number(number) });
    else if (word in CONSTANTS) found.push({ literal: CONSTANTS[word] });
    else found.push(word && !WORDS.includes(word) ? { name: word } : { sign: word ?? sign });
  }
  return found;
}

class Reader {
  constructor(text) {
    this.left = tokens(text);
  }

  is(sign) {
    return this.left[0]?.sign === sign;
  }

  take(kind) {
    const token = this.left.shift();
    if (!token || !(kind in token)) throw new Unreadable();
    return token[kind];
  }

  expect(sign) {
    if (this.take('sign') !== sign) throw new Unreadable();
  }

  rows() {
    const rows = [this.row()];
    const joint = this.left[0]?.sign;
    while (this.left.length) {
      this.expect(joint);
      if (joint !== 'and' && joint !== 'or') throw new Unreadable();
      rows.push(this.row());
    }
    return { joint: joint ?? 'and', rows };
  }

  row() {
    if (this.is('(')) return this.guarded();
    if (this.is('not')) {
      this.expect('not');
      return { name: this.take('name'), op: 'no', value: null };
    }
    return this.compared();
  }

  /** `(name != null and …)`: what cannot be compared while it is empty. */
  guarded() {
    this.expect('(');
    const first = this.compared();
    if (this.is(')')) {
      this.expect(')');
      return first;
    }
    this.expect('and');
    const row = this.compared();
    this.expect(')');
    if (first.op !== 'filled' || first.name !== row.name) throw new Unreadable();
    return row;
  }

  compared() {
    if ('literal' in (this.left[0] ?? {})) {
      const value = this.take('literal');
      this.expect('in');
      return { name: this.take('name'), op: 'has', value };
    }
    const name = this.take('name');
    const sign = this.left[0]?.sign;
    if (sign === 'in') return { name, op: 'in', value: this.list() };
    if (!(sign in COMPARED)) return { name, op: 'yes', value: null };
    this.expect(sign);
    const value = this.take('literal');
    if (value === null && (sign === '==' || sign === '!=')) return { name, op: sign === '==' ? 'empty' : 'filled', value };
    if (typeof value === 'boolean' && (sign === '==' || sign === '!=')) return { name, op: (sign === '==') === value ? 'yes' : 'no', value: null };
    return { name, op: COMPARED[sign], value };
  }

  list() {
    this.expect('in');
    this.expect('[');
    const values = [this.take('literal')];
    while (this.is(',')) {
      this.expect(',');
      values.push(this.take('literal'));
    }
    this.expect(']');
    return values;
  }
}

/** The rows of an expression, or null where it is more than rows. */
export function readCondition(text) {
  try {
    return new Reader(text).rows();
  } catch (problem) {
    if (problem instanceof Unreadable) return null;
    throw problem;
  }
}

function literal(value) {
  if (typeof value !== 'string') return String(value);
  return `'${value.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t')}'`;
}

function written({ name, op, value }) {
  if (op in SIGNS) return `(${name} != null and ${name} ${SIGNS[op]} ${literal(value)})`;
  switch (op) {
    case 'yes': return name;
    case 'no': return `not ${name}`;
    case 'filled': return `${name} != null`;
    case 'empty': return `${name} == null`;
    case 'in': return `${name} in [${value.map(literal).join(', ')}]`;
    case 'has': return `(${name} != null and ${literal(value)} in ${name})`;
    default: return `${name} ${op === 'ne' ? '!=' : '=='} ${literal(value)}`;
  }
}

export const writeCondition = ({ joint, rows }) => rows.map(written).join(` ${joint} `);

const STRING = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g;

/** The names that an expression reads. */
export const namesIn = (text) => new Set(text.replace(STRING, "''").match(/(?<![\p{L}\p{N}_.])[\p{L}_][\p{L}\p{N}_]*/gu) ?? []);

/** The texts that an expression compares with. */
export const textsIn = (text) => new Set((text.match(STRING) ?? []).map(unquoted));
