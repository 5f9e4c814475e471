// Mounts the page.
import { createApp } from 'vue'
import { showPanel } from '../shared/panel.ts'
import App from './App.vue'
import code from './ChatRoom.vue?raw'

showPanel(code)
createApp(App).mount('#app')
