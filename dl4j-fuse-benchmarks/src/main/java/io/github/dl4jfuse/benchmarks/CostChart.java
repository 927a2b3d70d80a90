package io.github.dl4jfuse.benchmarks;

import io.github.dl4jfuse.tools.report.Charts;
import java.awt.Color;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.style.Styler;

/** Draws time against the number of parameters, both logarithmic, at twice the size the picture is shown at. */
final class CostChart {

    private record Curve(String benchmark, String name, Color colour) {}

    private static final List<Curve> CURVES = List.of(
            new Curve("history", "direction and update", new Color(0x0072B2)),
            new Curve("copyTwice", "copying S and Y twice", new Color(0x444444)),
            new Curve("plainBlas", "plain two loops, BLAS", new Color(0x009E73)),
            new Curve("plainElementwise", "plain two loops, elementwise", new Color(0xD55E00)));

    private CostChart() {}

    static byte[] draw(int[] sizes, ToDoubleFunction<String> median, int memory) {
        XYChart chart = Charts.chart("parameters", "milliseconds");
        chart.getStyler().setXAxisLogarithmic(true);
        chart.getStyler().setYAxisLogarithmic(true);
        chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        chart.getStyler().setPlotBorderVisible(false);
        for (Curve curve : CURVES) {
            ToDoubleFunction<Integer> time = n -> median.applyAsDouble(curve.benchmark + " " + n + " " + memory);
            List<Integer> measured = Arrays.stream(sizes)
                    .boxed()
                    .filter(n -> Double.isFinite(time.applyAsDouble(n)))
                    .toList();
            if (measured.isEmpty()) {
                continue;
            }
            Charts.line(
                    chart,
                    curve.name,
                    measured.stream().mapToDouble(n -> n).toArray(),
                    measured.stream().mapToDouble(time).toArray(),
                    curve.colour);
        }
        return Charts.png(chart);
    }
}
