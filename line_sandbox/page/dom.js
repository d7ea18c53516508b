// Makes elements. Text only ever becomes text: messages may hold anything.

export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return made;
}

export function picture(url, alt) {
  const image = element("img", "picture");
  image.alt = alt || url;
  image.title = url;
  image.referrerPolicy = "no-referrer";
  image.addEventListener("error", () => image.replaceWith(element("span", "no-picture", url)));
  image.src = url;
  return image;
}
