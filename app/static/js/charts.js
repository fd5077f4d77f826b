/* Charts of the page by ECharts, in the theme's colours; redrawn when it changes. */
(function () {
  "use strict";
  const root = document.documentElement, color = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();

  function draw(figure) {
    const face = figure.querySelector(".chart-face"), option = JSON.parse(figure.querySelector("script").textContent);
    const chart = echarts.getInstanceByDom(face);
    if (chart) chart.dispose();
    face.hidden = false;
    face.style.height = figure.dataset.height + "px";
    figure.classList.add("drawn");
    // A phone has room for two lower lines of a name, not for a long one.
    const names = face.clientWidth < 480 ? { width: face.clientWidth * 0.44, overflow: "break", fontSize: 12, lineHeight: 14 } : {};
    const text = { color: color("ink-2"), fontFamily: color("font"), fontSize: 13 };
    const axis = (own) => own && Object.assign({ axisLabel: text, axisLine: { lineStyle: { color: color("line") } }, axisTick: { show: false }, splitLine: { lineStyle: { color: color("line") } } }, own, { axisLabel: { ...text, ...own.axisLabel, ...names } });
    echarts.init(face, null, { renderer: "svg" }).setOption({
      animation: false,
      color: [1, 2, 3, 4, 5].map((n) => color("chart-" + n)),
      textStyle: text,
      grid: { left: 8, right: 48, top: 4, bottom: 4, containLabel: true },
      ...option,
      legend: option.legend && { bottom: 0, icon: "roundRect", itemWidth: 12, itemHeight: 12, textStyle: text, ...option.legend },
      tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, ...option.tooltip, renderMode: "richText", backgroundColor: color("surface"), borderColor: color("line"), textStyle: { ...text, color: color("ink") } },
      xAxis: axis(option.xAxis),
      yAxis: axis(option.yAxis),
      series: option.series.map((one) => ({ barMaxWidth: 22, ...one, itemStyle: { borderRadius: 3, ...one.itemStyle }, label: one.label && { ...text, color: color("ink"), ...one.label } })),
    });
  }
  const figures = [...document.querySelectorAll("[data-chart]")];
  if (!figures.length || !window.echarts) return;
  const all = () => figures.forEach(draw);
  all();
  document.addEventListener("themechange", all);
  let timer = 0;
  window.addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(() => figures.forEach((f) => echarts.getInstanceByDom(f.querySelector(".chart-face"))?.resize()), 120); });
})();
