package io.github.dl4jfuse.tools.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.function.ToDoubleFunction;
import javax.imageio.ImageIO;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws curves and bars as PNG pictures, at twice the size they are shown at. */
public final class Charts {

    /** Colours that stay apart for colour-blind readers (Okabe and Ito). */
    private static final List<Color> COLOURS = List.of(
            new Color(0x0072B2),
            new Color(0xD55E00),
            new Color(0x009E73),
            new Color(0xCC79A7),
            new Color(0x56B4E9),
            new Color(0xE69F00),
            new Color(0x444444),
            new Color(0x8C6D31),
            new Color(0x6A3D9A),
            new Color(0xB2182B));

    private static final int MOST_BELOW =
            4; // names in a legend below a chart; more stand beside it, one under the other

    private static final int WIDTH = 820;
    private static final int HEIGHT = 360;
    private static final int SCALE = 2;
    private static final int LOGARITHMIC_FROM = 20;
    private static final int BAND_ALPHA = 50;
    private static final int ROTATION = 45;

    private Charts() {}

    /**
     * Draws one curve for each run; values that are not finite are left out, runs of one name share a colour. The y axis
     * is logarithmic when the values are positive and span more than a factor of {@value #LOGARITHMIC_FROM}.
     */
    public static byte[] curves(
            String xTitle,
            String yTitle,
            List<RunResult> runs,
            ToDoubleFunction<CurvePoint> x,
            ToDoubleFunction<CurvePoint> y) {
        XYChart chart = chart(xTitle, yTitle);
        DoubleSummaryStatistics values = runs.stream()
                .flatMap(run -> run.curve().stream())
                .mapToDouble(y)
                .filter(Double::isFinite)
                .summaryStatistics();
        style(chart.getStyler(), values.getMin() > 0 && values.getMax() > LOGARITHMIC_FROM * values.getMin());
        List<String> names = runs.stream().map(RunResult::name).distinct().toList();
        for (int i = 0; i < runs.size(); i++) {
            RunResult run = runs.get(i);
            List<CurvePoint> points = run.curve().stream()
                    .filter(point -> Double.isFinite(y.applyAsDouble(point)))
                    .toList();
            if (points.isEmpty()) {
                continue;
            }
            boolean first =
                    runs.subList(0, i).stream().noneMatch(other -> other.name().equals(run.name()));
            Color colour = COLOURS.get(names.indexOf(run.name()) % COLOURS.size());
            line(
                            chart,
                            first ? run.name() : run.name() + " " + i,
                            points.stream().mapToDouble(x).toArray(),
                            points.stream().mapToDouble(y).toArray(),
                            colour)
                    .setShowInLegend(first);
        }
        return png(chart);
    }

    /**
     * A curve with its spread.
     *
     * @param name in the legend
     * @param x where it was measured, ascending
     * @param middle the curve
     * @param low lower edge of the band
     * @param high upper edge
     */
    public record Band(String name, double[] x, double[] middle, double[] low, double[] high) {}

    /**
     * Draws one curve with a shaded band for each; both axes are logarithmic where the y axis of {@link #curves} would be. Values
     * must be finite.
     */
    public static byte[] bands(String xTitle, String yTitle, List<Band> bands) {
        XYChart chart = chart(xTitle, yTitle);
        double low = bands.stream()
                .flatMapToDouble(band -> Arrays.stream(band.low()))
                .min()
                .orElse(0);
        double high = bands.stream()
                .flatMapToDouble(band -> Arrays.stream(band.high()))
                .max()
                .orElse(0);
        style(chart.getStyler(), low > 0 && high > LOGARITHMIC_FROM * low);
        double first = bands.stream().mapToDouble(band -> band.x()[0]).min().orElse(0);
        double last = bands.stream()
                .mapToDouble(band -> band.x()[band.x().length - 1])
                .max()
                .orElse(0);
        chart.getStyler().setXAxisLogarithmic(first > 0 && last > LOGARITHMIC_FROM * first);
        if (bands.size() > MOST_BELOW) {
            chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
            chart.getStyler().setLegendLayout(Styler.LegendLayout.Vertical);
        }
        for (int i = 0; i < bands.size(); i++) {
            Band band = bands.get(i);
            Color colour = COLOURS.get(i % COLOURS.size());
            var area = chart.addSeries(
                    band.name() + ", spread", thereAndBack(band.x(), band.x()), thereAndBack(band.high(), band.low()));
            area.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.PolygonArea);
            area.setFillColor(new Color(colour.getRed(), colour.getGreen(), colour.getBlue(), BAND_ALPHA));
            area.setLineStyle(SeriesLines.NONE);
            area.setMarker(SeriesMarkers.NONE);
            area.setShowInLegend(false);
        }
        for (int i = 0; i < bands.size(); i++) {
            Band band = bands.get(i);
            Color colour = COLOURS.get(i % COLOURS.size());
            var line = chart.addSeries(band.name(), band.x(), band.middle());
            line.setMarker(SeriesMarkers.NONE);
            line.setLineColor(colour);
            line.setLineStyle(new BasicStroke(2f));
        }
        return png(chart);
    }

    /**
     * Parts of bars, one above the other.
     *
     * @param name in the legend
     * @param values one for each bar, in their order
     */
    public record Part(String name, List<Double> values) {}

    /** Draws bars of parts. */
    public static byte[] bars(String yTitle, List<String> names, List<Part> parts) {
        CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .yAxisTitle(yTitle)
                .build();
        style(chart.getStyler(), false);
        chart.getStyler().setStacked(true);
        chart.getStyler().setAvailableSpaceFill(0.7);
        chart.getStyler().setXAxisLabelRotation(ROTATION);
        for (int i = 0; i < parts.size(); i++) {
            chart.addSeries(parts.get(i).name(), names, parts.get(i).values()).setFillColor(COLOURS.get(i));
        }
        return png(chart);
    }

    private static double[] thereAndBack(double[] there, double[] back) {
        double[] all = Arrays.copyOf(there, 2 * there.length);
        for (int i = 0; i < back.length; i++) {
            all[there.length + i] = back[back.length - 1 - i];
        }
        return all;
    }

    private static void style(AxesChartStyler styler, boolean logarithmic) {
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotBorderVisible(false);
        styler.setPlotGridLinesColor(new Color(0xE4E4E4));
        styler.setLegendPosition(Styler.LegendPosition.OutsideS);
        styler.setLegendLayout(Styler.LegendLayout.Horizontal);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setMarkerSize(5);
        styler.setYAxisLogarithmic(logarithmic);
        styler.setChartTitleVisible(false);
        styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
        styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    }

    /** Returns an empty chart of the usual size. */
    public static XYChart chart(String xTitle, String yTitle) {
        return new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .xAxisTitle(xTitle)
                .yAxisTitle(yTitle)
                .build();
    }

    /** Adds a curve with its points. */
    public static XYSeries line(XYChart chart, String name, double[] x, double[] y, Color colour) {
        XYSeries series = chart.addSeries(name, x, y);
        series.setMarker(SeriesMarkers.CIRCLE);
        series.setLineColor(colour);
        series.setMarkerColor(colour);
        series.setLineStyle(new BasicStroke(2f));
        return series;
    }

    /** Draws a chart. */
    public static byte[] png(Chart<?, ?> chart) {
        BufferedImage image = new BufferedImage(SCALE * WIDTH, SCALE * HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.scale(SCALE, SCALE);
        chart.paint(graphics, WIDTH, HEIGHT);
        graphics.dispose();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
