// Everything the browser side says by itself, in both languages of the pages.
const zh = {
  themeSystem: '外观：跟随系统',
  themeLight: '外观：浅色',
  themeDark: '外观：深色',
  submitting: '正在提交，请稍候。',
  offline: '网络不通，没有提交成功。您填写的内容还在，请稍后再试。',
  draftRestored: '已恢复您 {time} 没有提交的内容。',
  draftDiscard: '舍弃',
  draftSaved: '草稿已保存 {time}',
  newTasks: '有 {count} 条新待办，点击查看',
  signedOut: '登录已过期，点击重新登录',
  copied: '已复制',
  comma: '，',
  colon: '：',
  close: '关闭',
  photoWaiting: '等待上传',
  photoSending: '已上传 {percent}%',
  photoDone: '已上传',
  photoFailed: '上传失败',
  photoRetry: '重试',
  photoRemove: '移除',
  photoOf: '{action}：{name}',
  photoTooMany: '最多上传 {max} 张，多出的没有加入。',
  photosUnfinished: '还有 {count} 张照片没有上传完，请等它传完，或重试、移除后再提交。',
  diagram: '流程图',
  diagramLoading: '正在打开流程图…',
  diagramFailed: '流程图暂时打不开，请稍后再试。下面的文字记录不受影响。',
  diagramPage: '流程图分页',
  diagramPageHere: '{name}（当前）',
  diagramPageUnnamed: '第 {number} 页',
  zoomIn: '放大',
  zoomOut: '缩小',
  zoomFit: '看全图',
  zoomFull: '放大到整屏',
  zoomFullEnd: '退出整屏',
  nodeDoneOnce: '已办 1 次',
  nodeDone: '已办 {count} 次',
  nodeCurrent: '在办',
  nodeOverdue: '超期',
  nodeAdded: '新增',
  nodeChanged: '有改动',
  nodeRemoved: '删除',
  nodeUnnamed: '未命名环节',
  nodeNoRecords: '“{name}”还没有办理记录。',
};

const en = {
  themeSystem: 'Appearance: same as system',
  themeLight: 'Appearance: light',
  themeDark: 'Appearance: dark',
  submitting: 'Submitting, please wait.',
  offline: 'No network: nothing was submitted. What you typed is kept; please try again later.',
  draftRestored: 'Restored what you had not submitted at {time}.',
  draftDiscard: 'Discard',
  draftSaved: 'Draft saved {time}',
  newTasks: 'Show new tasks: {count}',
  signedOut: 'Your session has ended: sign in again',
  copied: 'Copied',
  comma: ', ',
  colon: ': ',
  close: 'Close',
  photoWaiting: 'Waiting',
  photoSending: '{percent}% uploaded',
  photoDone: 'Uploaded',
  photoFailed: 'Upload failed',
  photoRetry: 'Retry',
  photoRemove: 'Remove',
  photoOf: '{action}: {name}',
  photoTooMany: 'At most {max} photos; the others were not added.',
  photosUnfinished: 'Photos not uploaded yet: {count}. Wait, retry or remove them before submitting.',
  diagram: 'Process diagram',
  diagramLoading: 'Opening the diagram…',
  diagramFailed: 'The diagram cannot be shown now. Please try again later; the written record below is complete.',
  diagramPage: 'Page of the diagram',
  diagramPageHere: '{name} (current)',
  diagramPageUnnamed: 'Page {number}',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  zoomFit: 'Show all',
  zoomFull: 'Full screen',
  zoomFullEnd: 'Leave full screen',
  nodeDoneOnce: 'done once',
  nodeDone: 'done {count} times',
  nodeCurrent: 'in progress',
  nodeOverdue: 'overdue',
  nodeAdded: 'added',
  nodeChanged: 'changed',
  nodeRemoved: 'removed',
  nodeUnnamed: 'Unnamed step',
  nodeNoRecords: 'No records for “{name}” yet.',
};

/** Says the words of a catalogue in the page's language. */
export function speaker(chinese, english) {
  return (key, values = {}) => {
    const words = document.documentElement.lang.startsWith('en') ? english : chinese;
    return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };
}

export const say = speaker(zh, en);

/** Month, day and minute, as people of the page's language write them. */
export function when(time) {
  const language = document.documentElement.lang || 'zh-CN';
  return new Intl.DateTimeFormat(language, { month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit' }).format(new Date(time));
}
