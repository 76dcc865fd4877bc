// Buttons that copy a text. Without a script they are not shown: the text can be selected.
const say = text => document.querySelectorAll('#said, #copied').forEach(s => { s.textContent = text; });
document.addEventListener('click', async ({ target }) => {
  const button = target.closest('[data-copy]'), source = button && document.getElementById(button.dataset.copy);
  if (!source) return;
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch { // on plain http, or forbidden
    getSelection().selectAllChildren(source);
    if (!document.execCommand('copy')) return source.focus(); // selected at least
  }
  button.classList.add('copied');
  setTimeout(() => button.classList.remove('copied'), 2000);
  say(document.body.dataset.copied);
});
