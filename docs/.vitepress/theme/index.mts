/** The standard theme, with room for wide tables. */
import theme from 'vitepress/theme';
import './wide.css';

export default theme;
