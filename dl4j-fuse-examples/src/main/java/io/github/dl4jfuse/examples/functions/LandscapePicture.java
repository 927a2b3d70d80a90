package io.github.dl4jfuse.examples.functions;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.geom.Ellipse2D;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jfree.chart.ChartUtils;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.DatasetRenderingOrder;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.PaintScale;
import org.jfree.chart.renderer.xy.XYBlockRenderer;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.chart.ui.RectangleAnchor;
import org.jfree.data.Range;
import org.jfree.data.general.DatasetUtils;
import org.jfree.data.xy.DefaultXYZDataset;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/** Draws a landscape as bands of its logarithm, darker where it is lower, and paths over it. */
final class LandscapePicture {

    private static final int CELLS = 300;
    private static final int WIDTH = 1_000;
    private static final int HEIGHT = 700;
    private static final double BANDS_PER_DECADE = 2;
    private static final double LOWEST = 1e-4;

    private static final List<Color> COLOURS =
            List.of(new Color(0x0072B2), new Color(0xD55E00), new Color(0x000000), new Color(0xCC79A7));

    private LandscapePicture() {}

    static void write(Path file, Landscape landscape, Map<String, Blend.Path> paths) throws IOException {
        NumberAxis x = axis("x", landscape.horizontal);
        NumberAxis y = axis("y", landscape.vertical);
        XYBlockRenderer blocks = new XYBlockRenderer();
        DefaultXYZDataset heights = heights(landscape);
        blocks.setBlockWidth((landscape.horizontal[1] - landscape.horizontal[0]) / CELLS);
        blocks.setBlockHeight((landscape.vertical[1] - landscape.vertical[0]) / CELLS);
        blocks.setBlockAnchor(RectangleAnchor.CENTER);
        blocks.setPaintScale(new Bands(DatasetUtils.findZBounds(heights)));
        blocks.setDefaultSeriesVisibleInLegend(false);
        XYPlot plot = new XYPlot(heights, x, y, blocks);
        XYSeriesCollection lines = new XYSeriesCollection();
        XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(true, true);
        paths.forEach((name, path) -> {
            int index = lines.getSeriesCount();
            XYSeries series = new XYSeries(name, false, true);
            path.points().forEach(point -> series.add(point[0], point[1]));
            lines.addSeries(series);
            renderer.setSeriesPaint(index, COLOURS.get(index % COLOURS.size()));
            renderer.setSeriesStroke(index, new BasicStroke(2.5f));
            renderer.setSeriesShape(index, new Ellipse2D.Double(-3, -3, 6, 6));
        });
        plot.setDataset(1, lines);
        plot.setRenderer(1, renderer);
        plot.setDatasetRenderingOrder(DatasetRenderingOrder.FORWARD);
        JFreeChart chart = new JFreeChart(
                landscape.name().toLowerCase(Locale.ROOT).replace('_', '-'),
                new Font(Font.SANS_SERIF, Font.PLAIN, 20),
                plot,
                true);
        chart.setBackgroundPaint(Color.WHITE);
        try (OutputStream stream = Files.newOutputStream(file)) {
            ChartUtils.writeChartAsPNG(stream, chart, WIDTH, HEIGHT);
        }
    }

    private static NumberAxis axis(String label, double[] range) {
        NumberAxis axis = new NumberAxis(label);
        axis.setRange(range[0], range[1]);
        return axis;
    }

    private static DefaultXYZDataset heights(Landscape landscape) {
        double[][] data = new double[3][CELLS * CELLS];
        double[] unused = new double[2];
        for (int i = 0; i < CELLS; i++) {
            for (int j = 0; j < CELLS; j++) {
                int at = i * CELLS + j;
                data[0][at] = between(landscape.horizontal, i);
                data[1][at] = between(landscape.vertical, j);
                double value = landscape.evaluate(new double[] {data[0][at], data[1][at]}, unused);
                data[2][at] = Math.floor(BANDS_PER_DECADE * Math.log10(Math.max(LOWEST, value)));
            }
        }
        DefaultXYZDataset dataset = new DefaultXYZDataset();
        dataset.addSeries("value", data);
        return dataset;
    }

    private static double between(double[] range, int cell) {
        return range[0] + (range[1] - range[0]) * (cell + 0.5) / CELLS;
    }

    /** Shades of grey, the lowest band the darkest. */
    private record Bands(Range values) implements PaintScale {

        @Override
        public double getLowerBound() {
            return values.getLowerBound();
        }

        @Override
        public double getUpperBound() {
            return values.getUpperBound();
        }

        @Override
        public Color getPaint(double band) {
            float share = (float) ((band - getLowerBound()) / Math.max(1, values.getLength()));
            float grey = 0.6f + 0.38f * share;
            return new Color(grey, grey, grey);
        }
    }
}
