/** Shortcodes of the emoji in common use, as Slack names them, and how one is shown. */
import { h } from "./dom.js";
import { drawnEmoji } from "./icons.js";

const TABLE = `
white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️ x ❌ negative_squared_cross_mark ❎ warning ⚠️ information_source ℹ️
no_entry ⛔ no_entry_sign 🚫 exclamation ❗ heavy_exclamation_mark ❗ bangbang ‼️ question ❓ grey_question ❔ grey_exclamation ❕ interrobang ⁉️
red_circle 🔴 large_orange_circle 🟠 orange_circle 🟠 large_yellow_circle 🟡 yellow_circle 🟡 large_green_circle 🟢 green_circle 🟢 large_blue_circle 🔵
blue_circle 🔵 large_purple_circle 🟣 purple_circle 🟣 large_brown_circle 🟤 brown_circle 🟤 white_circle ⚪ large_white_circle ⚪ black_circle ⚫
large_red_square 🟥 large_orange_square 🟧 large_yellow_square 🟨 large_green_square 🟩 large_blue_square 🟦 large_purple_square 🟪 white_large_square ⬜
black_large_square ⬛ white_square ◻️ small_red_triangle 🔺 small_red_triangle_down 🔻 large_blue_diamond 🔷 large_orange_diamond 🔶 small_blue_diamond 🔹
small_orange_diamond 🔸 radio_button 🔘 hourglass ⌛ hourglass_flowing_sand ⏳ watch ⌚ alarm_clock ⏰ stopwatch ⏱️ timer_clock ⏲️ clock1 🕐 clock3 🕒
clock12 🕛 calendar 📆 date 📅 spiral_calendar_pad 🗓️ lock 🔒 unlock 🔓 lock_with_ink_pen 🔏 closed_lock_with_key 🔐 key 🔑 old_key 🗝️ bell 🔔 no_bell 🔕
mag 🔍 mag_right 🔎 rocket 🚀 package 📦 gear ⚙️ wrench 🔧 hammer 🔨 hammer_and_wrench 🛠️ nut_and_bolt 🔩 toolbox 🧰 link 🔗 chains ⛓️ paperclip 📎
pushpin 📌 round_pushpin 📍 scissors ✂️ pencil ✏️ pencil2 ✏️ memo 📝 black_nib ✒️ clipboard 📋 page_facing_up 📄 page_with_curl 📃 bookmark_tabs 📑
bar_chart 📊 chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 file_folder 📁 open_file_folder 📂 card_index_dividers 🗂️ wastebasket 🗑️ newspaper 📰
books 📚 book 📖 notebook 📓 ledger 📒 label 🏷️ bookmark 🔖 email 📧 envelope ✉️ incoming_envelope 📨 inbox_tray 📥 outbox_tray 📤 mailbox 📫 telephone_receiver 📞
iphone 📱 computer 💻 desktop_computer 🖥️ keyboard ⌨️ printer 🖨️ floppy_disk 💾 cd 💿 battery 🔋 electric_plug 🔌 bulb 💡 flashlight 🔦 satellite 📡
satellite_antenna 📡 arrows_counterclockwise 🔄 arrows_clockwise 🔃 repeat 🔁 repeat_one 🔂 arrow_forward ▶️ arrow_backward ◀️ fast_forward ⏩ rewind ⏪
double_vertical_bar ⏸️ pause_button ⏸️ black_square_for_stop ⏹️ stop_button ⏹️ record_button ⏺️ eject ⏏️ arrow_up ⬆️ arrow_down ⬇️ arrow_left ⬅️ arrow_right ➡️
arrow_upper_right ↗️ arrow_lower_right ↘️ arrow_up_down ↕️ left_right_arrow ↔️ arrow_right_hook ↪️ leftwards_arrow_with_hook ↩️ heavy_plus_sign ➕ heavy_minus_sign ➖
heavy_multiplication_x ✖️ construction 🚧 rotating_light 🚨 vertical_traffic_light 🚦 octagonal_sign 🛑 shield 🛡️ zap ⚡ fire 🔥 boom 💥 collision 💥 sparkles ✨
star ⭐ star2 🌟 dizzy 💫 tada 🎉 confetti_ball 🎊 trophy 🏆 medal 🏅 checkered_flag 🏁 triangular_flag_on_post 🚩 dart 🎯 game_die 🎲 gift 🎁 balloon 🎈
robot_face 🤖 ghost 👻 alien 👽 skull 💀 eyes 👀 eye 👁️ speech_balloon 💬 thought_balloon 💭 mega 📣 loudspeaker 📢 mute 🔇 sound 🔉
+1 👍 thumbsup 👍 -1 👎 thumbsdown 👎 ok_hand 👌 wave 👋 raised_hand ✋ raised_hands 🙌 clap 👏 pray 🙏 muscle 💪 point_up ☝️ point_down 👇 point_left 👈
point_right 👉 v ✌️ crossed_fingers 🤞 handshake 🤝 writing_hand ✍️ heart ❤️ orange_heart 🧡 yellow_heart 💛 green_heart 💚 blue_heart 💙 purple_heart 💜
black_heart 🖤 broken_heart 💔 sparkling_heart 💖 100 💯 smile 😄 smiley 😃 grinning 😀 grin 😁 joy 😂 rofl 🤣 slightly_smiling_face 🙂 simple_smile 🙂 wink 😉
blush 😊 heart_eyes 😍 thinking_face 🤔 face_with_monocle 🧐 neutral_face 😐 expressionless 😑 unamused 😒 face_with_rolling_eyes 🙄 grimacing 😬 relieved 😌
sleeping 😴 zzz 💤 sunglasses 😎 confused 😕 worried 😟 slightly_frowning_face 🙁 open_mouth 😮 astonished 😲 cry 😢 sob 😭 scream 😱 sweat_smile 😅 sweat 😓
disappointed 😞 angry 😠 rage 😡 exploding_head 🤯 partying_face 🥳 nerd_face 🤓 shushing_face 🤫 upside_down_face 🙃 melting_face 🫠 saluting_face 🫡
cloud ☁️ partly_sunny ⛅ sunny ☀️ rain_cloud 🌧️ snowflake ❄️ umbrella ☔ rainbow 🌈 ocean 🌊 earth_africa 🌍 earth_americas 🌎 earth_asia 🌏 globe_with_meridians 🌐
world_map 🗺️ house 🏠 office 🏢 factory 🏭 ship 🚢 anchor ⚓ whale 🐳 whale2 🐋 octopus 🐙 penguin 🐧 snake 🐍 bug 🐛 turtle 🐢 snail 🐌 dog 🐶 cat 🐱
seedling 🌱 evergreen_tree 🌲 four_leaf_clover 🍀 mushroom 🍄 coffee ☕ beer 🍺 beers 🍻 pizza 🍕 cake 🍰 doughnut 🍩 apple 🍎
airplane ✈️ truck 🚚 car 🚗 bike 🚲 train 🚆 helicopter 🚁 ambulance 🚑 fire_engine 🚒 police_car 🚓 truck_moving 🚚 parachute 🪂
bust_in_silhouette 👤 busts_in_silhouette 👥 detective 🕵️ technologist 🧑‍💻 construction_worker 👷 cop 👮 ninja 🥷 moneybag 💰 money_with_wings 💸 credit_card 💳
test_tube 🧪 microscope 🔬 telescope 🔭 thermometer 🌡️ pill 💊 syringe 💉 magnet 🧲 compass 🧭 scroll 📜 crystal_ball 🔮 jigsaw 🧩 abacus 🧮 ladder 🪜
one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣ six 6️⃣ seven 7️⃣ eight 8️⃣ nine 9️⃣ zero 0️⃣ keycap_ten 🔟 hash #️⃣ abc 🔤 ok 🆗 new 🆕 free 🆓 up 🆙 cool 🆒 sos 🆘
copyright ©️ registered ®️ tm ™️ recycle ♻️ infinity ♾️ end 🔚 back 🔙 on 🔛 soon 🔜 top 🔝
`;

const EMOJI = new Map();
const words = TABLE.trim().split(/\s+/);
for (let i = 0; i + 1 < words.length; i += 2) EMOJI.set(words[i], words[i + 1]);

/** Whether this machine can draw emoji at all: one in black comes out with colours. */
const drawable = (() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 20;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) return true;
  pen.font = "16px sans-serif";
  pen.fillText("🎉", 0, 16);
  const { data } = pen.getImageData(0, 0, 20, 20);
  return data.some((value, at) => at % 4 < 3 && value > 40);
})();

/** An emoji by its shortcode (without colons): drawn, as a character, or null when nobody knows it. */
export function emoji(name) {
  const plain = name.split("::")[0];
  const drawn = drawnEmoji(plain);
  if (drawn) return drawn;
  const character = EMOJI.get(plain);
  if (!character) return null;
  if (!drawable) return h("span", { class: "emoji-word" }, `:${plain}:`);
  return h(
    "span",
    { class: "emoji", role: "img", "aria-label": `${plain.replaceAll("_", " ")} emoji`, title: `:${plain}:` },
    character,
  );
}

/** An emoji from its code points in hexadecimal with dashes, as rich_text elements carry them. */
export function emojiOfCode(code) {
  try {
    return String.fromCodePoint(...code.split("-").map((part) => parseInt(part, 16)));
  } catch {
    return null;
  }
}

/** Shortcodes that begin with `stem`, the shortest first, for completion. */
export function emojiBeginning(stem, limit = 6) {
  return [...EMOJI.keys()]
    .filter((name) => name.startsWith(stem))
    .sort((a, b) => a.length - b.length)
    .slice(0, limit);
}

/** Text with its shortcodes turned into emoji: a list of strings and nodes. */
export function withEmoji(text) {
  const parts = [];
  let rest = 0;
  for (const match of text.matchAll(/:([a-z0-9_+'-]+(?:::skin-tone-\d)?):/g)) {
    const shown = emoji(match[1]);
    if (!shown) continue;
    parts.push(text.slice(rest, match.index), shown);
    rest = match.index + match[0].length;
  }
  parts.push(text.slice(rest));
  return parts.filter((part) => part !== "");
}
