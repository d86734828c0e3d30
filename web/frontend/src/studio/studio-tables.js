// The sheet on which a decision table is edited: dmn-js in the words of the page, with what our engine carries out and no more.
import EditingManager from 'dmn-js-shared/lib/base/EditingManager';
import Editor from 'dmn-js-decision-table/lib/Editor';
import Viewer from 'dmn-js-decision-table/lib/Viewer';
import { HIT_POLICIES } from 'dmn-js-decision-table/lib/features/hit-policy/HitPolicies';
import { is } from 'dmn-js-shared/lib/util/ModelUtil';
import { dictionary } from './tables-terms.js';

const UNSUPPORTED = ['PRIORITY', 'OUTPUT ORDER'];
HIT_POLICIES.splice(0, HIT_POLICIES.length, ...HIT_POLICIES.filter(({ value }) => !UNSUPPORTED.includes(value.hitPolicy)));

const LANGUAGE = 'wuzhang'; // cells are plain texts: the library knows FEEL, and ours is not quite FEEL
const expressionLanguages = { options: [{ label: '', value: LANGUAGE }], defaults: { editor: LANGUAGE, inputCell: LANGUAGE, outputCell: LANGUAGE } };

function translate(template, values = {}) {
  const text = (!document.documentElement.lang.startsWith('en') && dictionary[template]) || template;
  return text.replace(/\{\s*(\w+)\s*\}/g, (whole, name) => values[name] ?? whole);
}

const isTable = (element) => is(element, 'dmn:Decision') && is(element.decisionLogic, 'dmn:DecisionTable');

class Sheet extends EditingManager {
  _getViewProviders() {
    return [{ id: 'decisionTable', constructor: this._options.readOnly ? Viewer : Editor, opens: isTable }];
  }
}

/** Shows the table in `box` and tells of every change; rejects with what is wrong where the file is no table. */
async function open(box, xml, readOnly, changed) {
  const sheet = new Sheet({ container: box, readOnly, expressionLanguages, decisionTable: { expressionLanguages, additionalModules: [{ translate: ['value', translate] }] } });
  await sheet.importXML(xml);
  sheet.getActiveViewer().on('commandStack.changed', changed);
  return { text: async () => (await sheet.saveXML({ format: true })).xml, close: () => sheet.destroy() };
}

globalThis.wuzhangTables = { open };
