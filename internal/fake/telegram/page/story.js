// The four steps of the story: which are done, and which comes next.

const steps = ['ask', 'watch', 'break', 'repair'];
const done = new Set();
let wasBroken = false;

// tick marks a step as done, for as long as the page is open.
export function tick(step) {
  if (done.has(step)) return;
  done.add(step);
  show();
}

// follow looks at a chat and at the switch for what has been done by now.
export function follow(chat, broken) {
  wasBroken ||= broken;
  for (const m of chat.messages) {
    if (!m.bot && m.kind === 'text' && !m.text.startsWith('/')) tick('ask');
    if (wasBroken && m.bot && canRetry(m)) tick('break');
  }
}

// pressed is told of every press that the server took.
export function pressed(message, broken) {
  if (canRetry(message) && !broken) tick('repair');
}

function canRetry(message) {
  return (message.buttons || []).flat().some((b) => (b.callback_data || '').startsWith('retry'));
}

export function show() {
  const next = steps.find((s) => !done.has(s));
  for (const li of document.querySelectorAll('#story li')) {
    const step = li.dataset.step;
    li.classList.toggle('done', done.has(step));
    if (step === next) li.setAttribute('aria-current', 'step');
    else li.removeAttribute('aria-current');
  }
}
