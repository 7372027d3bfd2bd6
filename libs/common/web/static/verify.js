// Drop, choose or paste a badge and see the verdict at once. Without this script the form below does the same.
// The server answers with the whole page; what is new of it takes the place of what is here.
const main = document.querySelector('main');

const announce = words => {
  const status = document.querySelector('#progress');
  if (status) status.textContent = words ? status.dataset[words] : '';
};

const show = text => {
  const answer = new DOMParser().parseFromString(text, 'text/html');
  main.replaceChildren(...answer.querySelector('main').childNodes);
  document.title = answer.title;
  ready();
  const heading = main.querySelector('#verdict') ?? main.querySelector('h1');
  heading.tabIndex = -1;
  heading.focus();
  heading.closest('section, div').scrollIntoView({ block: 'nearest' });
};

const send = async (form, content) => {
  announce('checking');
  form.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(form.action, { method: 'POST', body: content, headers: { Accept: 'text/html' } });
    show(await answer.text());
  } catch {
    form.removeAttribute('aria-busy');
    announce('failed');
  }
};

const bring = file => {
  const form = document.querySelector('form.bring');
  const content = new FormData();
  content.set('file', file, file.name);
  content.set('recipient', form.elements.recipient?.value ?? '');
  send(form, content);
};

const ready = () => {
  const form = document.querySelector('form.bring');
  if (!form) return;
  form.querySelector('#drop').hidden = false;
  form.addEventListener('submit', event => {
    event.preventDefault();
    send(form, new FormData(form));
  });
  form.elements.file.addEventListener('change', event => {
    if (event.target.files.length) bring(event.target.files[0]);
  });
};

document.addEventListener('dragover', event => {
  event.preventDefault();
  document.body.classList.add('over');
});
document.addEventListener('dragleave', event => {
  if (!event.relatedTarget) document.body.classList.remove('over');
});
document.addEventListener('drop', event => {
  event.preventDefault();
  document.body.classList.remove('over');
  if (event.dataTransfer.files.length) bring(event.dataTransfer.files[0]);
});
document.addEventListener('paste', event => {
  const form = document.querySelector('form.bring');
  const [file] = event.clipboardData.files;
  if (file) {
    event.preventDefault();
    bring(file);
  } else if (form && !event.target.closest('input, textarea')) {
    // Into the field, so that people see what is sent.
    form.elements.text.value = event.clipboardData.getData('text/plain');
    if (form.elements.text.value.trim()) form.requestSubmit();
  }
});
ready();
