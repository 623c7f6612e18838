/** The form for a token, shown where the bridge asks for one. The token is forgotten as soon as it was sent. */
import { login } from './bridge-api.js';
import { byId, setHidden, setText } from './elements.js';

export class LoginView {
  #form = byId('login');
  #field = byId('token');

  constructor(onLogin) {
    this.#form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const token = this.#field.value.trim();
      this.#field.value = '';
      try {
        await login(token);
        setText(byId('login-error'), '');
        onLogin();
      } catch (error) {
        setText(byId('login-error'), error.message);
        this.#field.focus();
      }
    });
  }

  show(isNeeded) {
    if (this.#form.hidden !== isNeeded) return;
    setHidden(this.#form, !isNeeded);
    setHidden(byId('content'), isNeeded);
    if (isNeeded) this.#field.focus();
  }
}
