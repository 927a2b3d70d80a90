package io.github.dl4jfuse.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.dl4jfuse.datasets.SmallTable.Column;
import io.github.dl4jfuse.datasets.SmallTable.Task;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

class SmallTablesTest {

    /** Sizes and classes as the sources' own descriptions give them. */
    @ParameterizedTest
    @CsvSource({
        "IRIS, 150, 4, 0, 50 50 50",
        "WINE, 178, 13, 0, 59 71 48",
        "BREAST_CANCER, 569, 30, 0, 357 212",
        "DIGITS, 1797, 64, 0, 178 182 177 183 181 182 181 179 174 180",
        "PENGUINS, 333, 4, 5, 146 68 119",
        "GERMAN_CREDIT, 1000, 7, 54, 300 700",
        "GLASS, 214, 9, 0, 70 76 17 13 9 29",
        "IONOSPHERE, 351, 34, 0, 126 225",
        "SEGMENT, 2310, 19, 0, 330 330 330 330 330 330 330",
        "VOTES, 435, 0, 48, 267 168",
        "SONAR, 208, 60, 0, 111 97",
        "DIABETES, 442, 10, 0,",
        "CONCRETE, 1030, 8, 0,",
        "MACHINE_CPU, 209, 6, 0,",
        "PENGUIN_MASS, 333, 3, 8,",
        "FRIEDMAN_1, 1000, 10, 0,",
        "FRIEDMAN_2, 1000, 4, 0,",
        "FRIEDMAN_3, 1000, 4, 0,"
    })
    void hasTheKnownSizesAndClasses(SmallTables about, int examples, int numbers, int categories, String counts) {
        SmallTable table = about.load();
        long oneHot = table.columns().stream().filter(Column::category).count();
        assertThat(table.features().shape()).containsExactly(examples, numbers + categories);
        assertThat(table.columns()).hasSize(numbers + categories);
        assertThat(oneHot).isEqualTo(categories);
        assertThat(table.size()).isEqualTo(examples);
        assertThat(about.task()).isEqualTo(counts == null ? Task.REGRESSION : Task.CLASSIFICATION);
        if (counts == null) {
            assertThat(table.classes()).isEmpty();
            assertThat(table.labels().shape()).containsExactly(examples, 1);
        } else {
            float[] expected = floats(counts);
            assertThat(table.labels().shape())
                    .containsExactly(examples, table.classes().size());
            assertThat(table.labels().sum(0).toFloatVector()).containsExactly(expected);
            assertThat(table.labels().sum(1).toFloatVector()).containsOnly(1);
        }
        assertThat(table.features().dataType()).isEqualTo(DataType.FLOAT);
        assertThat(table.labels().dataType()).isEqualTo(DataType.FLOAT);
    }

    /** First rows as the sources print them. */
    @ParameterizedTest
    @CsvSource({
        "IRIS, 34, 4.9 3.1 1.5 0.2, setosa",
        "IRIS, 37, 4.9 3.6 1.4 0.1, setosa",
        "IRIS, 149, 5.9 3.0 5.1 1.8, virginica",
        "WINE, 0, 14.23 1.71 2.43 15.6 127 2.8 3.06 0.28 2.29 5.64 1.04 3.92 1065, 1",
        "BREAST_CANCER, 0, 17.99 10.38 122.8 1001 0.1184 0.2776 0.3001 0.1471 0.2419 0.07871, M",
        "DIGITS, 0, 0 0 5 13 9 1 0 0 0 0 13 15 10 15 5 0, 0",
        "IONOSPHERE, 0, 1 0 0.99539 -0.05889 0.85243 0.02306 0.83398 -0.37708, g",
        "GLASS, 0, 1.51793 12.79 3.5 1.12 73.03 0.64 8.77 0 0, 1",
        "SEGMENT, 0, 38 189 9 0 0 1 0.222222 6.22222 33.3185, path",
        "SONAR, 0, 0.02 0.0371 0.0428 0.0207 0.0954 0.0986, R",
        "DIABETES, 0, 59 2 32.1 101 157 93.2 38 4 4.8598 87, 151",
        "CONCRETE, 0, 540 0 0 162 2.5 1040 676 28, 79.99",
        "MACHINE_CPU, 0, 125 256 6000 256 16 128, 198"
    })
    void hasThePublishedValues(SmallTables about, int row, String features, String label) {
        SmallTable table = about.load();
        float[] expected = floats(features);
        assertThat(Arrays.copyOf(table.features().getRow(row).toFloatVector(), expected.length))
                .containsExactly(expected);
        if (table.classes().isEmpty()) {
            assertThat(table.labels().getFloat(row, 0)).isEqualTo(Float.parseFloat(label));
        } else {
            assertThat(className(table, row)).isEqualTo(label);
        }
    }

    /**
     * The first credit of the source: A11 6 A34 A43 1169 A65 A75 4 A93 A101 4 A121 67 A143 A152 2 A173 1 A192 A201 1.
     */
    @Test
    void turnsCategoriesIntoColumnsOfZeroAndOne() {
        SmallTable credits = SmallTables.GERMAN_CREDIT.load();
        List<String> ones = IntStream.range(0, credits.columns().size())
                .filter(j -> credits.columns().get(j).category())
                .filter(j -> credits.features().getFloat(0, j) == 1)
                .mapToObj(j -> credits.columns().get(j).name())
                .toList();
        assertThat(ones)
                .containsExactly(
                        "checking_status=A11",
                        "credit_history=A34",
                        "purpose=A43",
                        "savings_status=A65",
                        "employment=A75",
                        "personal_status=A93",
                        "other_parties=A101",
                        "property_magnitude=A121",
                        "other_payment_plans=A143",
                        "housing=A152",
                        "job=A173",
                        "own_telephone=A192",
                        "foreign_worker=A201");
        assertThat(number(credits, 0, "duration")).isEqualTo(6);
        assertThat(number(credits, 0, "credit_amount")).isEqualTo(1169);
        assertThat(number(credits, 0, "age")).isEqualTo(67);
        assertThat(className(credits, 0)).isEqualTo("good");
        // Published: 274, 269, 63 and 394 credits by the status of the checking account.
        assertThat(credits.features().sum(0).toFloatVector()).startsWith(274, 269, 63, 394);
    }

    @Test
    void keepsTheUnknownVoteAsACategory() {
        SmallTable votes = SmallTables.VOTES.load();
        assertThat(votes.columns().subList(0, 3).stream().map(Column::name))
                .containsExactly("handicapped_infants=?", "handicapped_infants=n", "handicapped_infants=y");
        // Published: 12 votes of this kind are unknown; 236 against and 187 for it.
        assertThat(votes.features().sum(0).toFloatVector()).startsWith(12, 236, 187);
        assertThat(votes.features().sum(1).toFloatVector()).containsOnly(16);
    }

    @Test
    void readsThePenguinsForBothTasks() {
        SmallTable mass = SmallTables.PENGUIN_MASS.load();
        SmallTable species = SmallTables.PENGUINS.load();
        assertThat(species.classes()).containsExactly("Adelie", "Chinstrap", "Gentoo");
        assertThat(number(species, 0, "body_mass_g")).isEqualTo(3750);
        assertThat(mass.labels().getFloat(0, 0)).isEqualTo(3750);
        assertThat(mass.columns().stream().map(Column::name))
                .containsExactly(
                        "species=Adelie",
                        "species=Chinstrap",
                        "species=Gentoo",
                        "island=Biscoe",
                        "island=Dream",
                        "island=Torgersen",
                        "bill_length_mm",
                        "bill_depth_mm",
                        "flipper_length_mm",
                        "sex=female",
                        "sex=male");
        assertThat(mass.features().getRow(0).toFloatVector())
                .containsExactly(1, 0, 0, 0, 0, 1, 39.1f, 18.7f, 181, 0, 1);
    }

    @Test
    void drawsFriedmansInputsAndNoise() {
        noiseIs(SmallTables.FRIEDMAN_1, 1, x -> {
            double square = Math.pow(x[2] - 0.5, 2);
            return 10 * Math.sin(Math.PI * x[0] * x[1]) + 20 * square + 10 * x[3] + 5 * x[4];
        });
        noiseIs(SmallTables.FRIEDMAN_2, 125, x -> Math.hypot(x[0], x[1] * x[2] - 1 / (x[1] * x[3])));
        noiseIs(SmallTables.FRIEDMAN_3, 0.1, x -> Math.atan((x[1] * x[2] - 1 / (x[1] * x[3])) / x[0]));
        INDArray circuits = SmallTables.FRIEDMAN_2.load().features();
        assertThat(circuits.min(0).toDoubleVector())
                .containsExactly(new double[] {0, 40 * Math.PI, 0, 1}, within(20.0));
        assertThat(circuits.max(0).toDoubleVector())
                .containsExactly(new double[] {100, 560 * Math.PI, 1, 11}, within(20.0));
    }

    /** Within four standard errors of mean and variance. */
    private static void noiseIs(SmallTables about, double deviation, ToDoubleFunction<double[]> function) {
        SmallTable table = about.load();
        double[][] inputs = table.features().toDoubleMatrix();
        double[] noise = IntStream.range(0, inputs.length)
                .mapToDouble(i -> (table.labels().getDouble(i, 0) - function.applyAsDouble(inputs[i])) / deviation)
                .toArray();
        double mean = Arrays.stream(noise).average().orElseThrow();
        double square = Arrays.stream(noise).map(e -> e * e).average().orElseThrow();
        double root = Math.sqrt(inputs.length);
        assertThat(mean).as(about.title()).isCloseTo(0, within(4 / root));
        assertThat(square).as(about.title()).isCloseTo(1, within(4 * Math.sqrt(2) / root));
    }

    @Test
    void saysThatAChecksumIsWrong() {
        assertThatExceptionOfType(DataException.class)
                .isThrownBy(() -> TableFile.read(SmallTables.WINE, "00"))
                .withMessageStartingWith(
                        "The resource tables/wine.csv.gz is not as expected: its SHA-256 after unpacking is ")
                .withMessageEndingWith(
                        "instead of 00. It came with dl4j-fuse-datasets, so that jar is damaged: get it again.");
    }

    @ParameterizedTest
    @EnumSource
    void isNamedWithItsSourceAndLicenceBesideTheData(SmallTables about) throws IOException {
        assertThat(SmallTables.named(about.title())).isEqualTo(about);
        String readme = resource("tables/README.md");
        if (SmallTables.class.getResource("tables/" + about.title() + ".csv.gz") != null) {
            assertThat(readme)
                    .contains("| `" + about.title() + "` | " + about.description() + " | " + about.source() + " | "
                            + about.licence() + " |");
        } else {
            assertThat(readme).contains("`" + about.title() + "`", about.source());
            assertThat(about.licence()).startsWith("Apache-2.0");
        }
    }

    @Test
    void takesNoMuchRoom() throws IOException {
        long bytes = 0;
        for (SmallTables about : SmallTables.values()) {
            try (InputStream file = SmallTables.class.getResourceAsStream("tables/" + about.title() + ".csv.gz")) {
                bytes += file == null ? 0 : file.readAllBytes().length;
            }
        }
        assertThat(bytes).isBetween(200_000L, 400_000L);
    }

    @Test
    void saysWhichTablesThereAre() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SmallTables.named("boston"))
                .withMessageStartingWith("There is no small table 'boston'; there are iris, wine, breast-cancer, ");
    }

    /** Earlier results of comparisons rest on this order; it is the one that the first version of the class gave. */
    @Test
    void givesTheIrisesInTheirOldOrder() {
        DataSet all = Iris.standardised();
        assertThat(all.getLabels().sum(0).toFloatVector()).containsExactly(50, 50, 50);
        assertThat(all.getFeatures().mean(0).toDoubleVector()).containsExactly(new double[4], within(1e-5));
        assertThat(all.getFeatures().var(false, 0).toDoubleVector())
                .containsExactly(new double[] {1, 1, 1, 1}, within(1e-4));
        assertThat(Arrays.copyOf(all.getLabels().argMax(1).toIntVector(), 10))
                .containsExactly(2, 1, 2, 2, 2, 2, 0, 2, 1, 2);
    }

    private static String className(SmallTable table, int row) {
        return table.classes().get(table.labels().getRow(row).argMax().getInt(0));
    }

    private static float number(SmallTable table, int row, String column) {
        return table.features().getFloat(row, table.columns().indexOf(new Column(column, false)));
    }

    private static float[] floats(String numbers) {
        String[] parts = numbers.split(" ");
        float[] values = new float[parts.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = Float.parseFloat(parts[i]);
        }
        return values;
    }

    private static String resource(String name) throws IOException {
        try (InputStream file = SmallTables.class.getResourceAsStream(name)) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
