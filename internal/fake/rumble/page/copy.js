// The button that copies an address.

for (const button of document.querySelectorAll('[data-copy]')) {
  const field = document.getElementById(button.dataset.copy);
  field.addEventListener('focus', () => field.select());
  button.hidden = !navigator.clipboard;
  button.addEventListener('click', async () => {
    const said = document.getElementById('copied');
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = 'Copied.';
    } catch {
      field.focus();
      said.textContent = 'Press Ctrl-C to copy it.';
    }
  });
}
