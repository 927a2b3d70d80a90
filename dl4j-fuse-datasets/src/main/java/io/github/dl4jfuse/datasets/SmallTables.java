package io.github.dl4jfuse.datasets;

import io.github.dl4jfuse.datasets.SmallTable.Task;
import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The small tables that come with this module: real ones whose licence allows it, below 0.3 MB together, and three that
 * are computed. tables/README.md beside the data says for each of them where it is from, under which licence, and what
 * was changed.
 */
public enum SmallTables {
    /**
     * 150 irises of three species by four lengths in centimetres. The values are Fisher's; the widespread file of the
     * UCI repository differs from them in the 35th and the 38th flower. R. A. Fisher, The use of multiple measurements
     * in taxonomic problems, Annals of Eugenics 7, 1936; BSD-3-Clause.
     */
    IRIS(
            "iris",
            Task.CLASSIFICATION,
            "150 irises of three species by four lengths in centimetres",
            "R. A. Fisher, The use of multiple measurements in taxonomic problems, Annals of Eugenics 7, 1936",
            Licence.BSD,
            about -> TableFile.read(about, "2495d965d79282f30ad3b9828f2be678d37de4bb6ecad0825358528d2a75797d")),

    /**
     * 178 wines of three growers by 13 numbers of a chemical analysis. S. Aeberhard and M. Forina, Wine, UCI Machine
     * Learning Repository, 1992; CC BY 4.0.
     */
    WINE(
            "wine",
            Task.CLASSIFICATION,
            "178 wines of three growers by 13 numbers of a chemical analysis",
            "S. Aeberhard and M. Forina, Wine, UCI Machine Learning Repository, 1992",
            Licence.CC_BY_4,
            about -> TableFile.read(about, "d42b7bad321522024a6cdc9b39d9e0791663723f35f1ece73dfb02b73d62993b")),

    /**
     * 569 tumours, 212 malignant (M) and 357 benign (B), by 30 measures of their cell nuclei. W. Wolberg, O.
     * Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning Repository,
     * 1995; CC BY 4.0.
     */
    BREAST_CANCER(
            "breast-cancer",
            Task.CLASSIFICATION,
            "569 tumours, 212 malignant (M) and 357 benign (B), by 30 measures of their cell nuclei",
            "W. Wolberg, O. Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin (Diagnostic), UCI "
                    + "Machine Learning Repository, 1995",
            Licence.CC_BY_4,
            about -> TableFile.read(about, "3fd95f25d8ed36bd603b2ef0021c827ff40dae101f99b88b39361ae55003b5a9")),

    /**
     * 1,797 handwritten digits of 8 x 8 pixels from 0 to 16. The test set of the source. E. Alpaydin and C. Kaynak,
     * Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998; CC BY 4.0.
     */
    DIGITS(
            "digits",
            Task.CLASSIFICATION,
            "1,797 handwritten digits of 8 x 8 pixels from 0 to 16",
            "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
                    + "Repository, 1998",
            Licence.CC_BY_4,
            about -> TableFile.read(about, "bb91ac08ceeb4eb7ddca61f0af46532f91c54eea07aab185ef61474328881e05")),

    /**
     * 333 penguins of three species by four sizes, sex and island (mixed). Eleven of 344 birds are left out, as
     * something is not known of them. K. B. Gorman, T. D. Williams and W. R. Fraser, Ecological sexual dimorphism and
     * environmental variability within a community of Antarctic penguins, PLoS ONE 9, 2014; A. M. Horst, A. P. Hill and
     * K. B. Gorman, palmerpenguins, 2020; CC0 1.0.
     */
    PENGUINS(
            "penguins",
            Task.CLASSIFICATION,
            "333 penguins of three species by four sizes, sex and island (mixed)",
            "K. B. Gorman, T. D. Williams and W. R. Fraser, Ecological sexual dimorphism and environmental "
                    + "variability within a community of Antarctic penguins, PLoS ONE 9, 2014; A. M. Horst, A. P. "
                    + "Hill and K. B. Gorman, palmerpenguins, 2020",
            Licence.CC0,
            about -> TableFile.read(about, "ddae16a45f119b4b110cf456ee5f0b7fbeca67e071649b58256f208a50bd2057")),

    /**
     * 1,000 credits, 700 good and 300 bad, by 7 numbers and 13 categories (mixed). H. Hofmann, Statlog (German Credit
     * Data), UCI Machine Learning Repository, 1994; CC BY 4.0.
     */
    GERMAN_CREDIT(
            "german-credit",
            Task.CLASSIFICATION,
            "1,000 credits, 700 good and 300 bad, by 7 numbers and 13 categories (mixed)",
            "H. Hofmann, Statlog (German Credit Data), UCI Machine Learning Repository, 1994",
            Licence.CC_BY_4,
            about -> TableFile.read(about, "fe55ee080ffa2ae3071f05bb99aef83b2d5e0486ac84fce5444f0fe7c8082bec")),

    /**
     * 214 pieces of glass by their refractive index and eight oxides; six kinds, 76 to 9 pieces of each. B. German,
     * Glass Identification, UCI Machine Learning Repository, 1987; CC BY 4.0.
     */
    GLASS(
            "glass",
            Task.CLASSIFICATION,
            "214 pieces of glass by their refractive index and eight oxides; six kinds, 76 to 9 pieces of each",
            "B. German, Glass Identification, UCI Machine Learning Repository, 1987",
            Licence.CC_BY_4,
            about -> TableFile.read(about, "8a86d7239b9625e3d477f3243c002ef7edf3c10f224a0499eb5bed8664058efc")),

    /**
     * 351 radar echoes, 225 good (g) and 126 bad (b), by 34 numbers. One of the columns is constant. V. Sigillito, S.
     * Wing, L. Hutton and K. Baker, Ionosphere, UCI Machine Learning Repository, 1989; CC BY 4.0.
     */
    IONOSPHERE(
            "ionosphere",
            Task.CLASSIFICATION,
            "351 radar echoes, 225 good (g) and 126 bad (b), by 34 numbers",
            "V. Sigillito, S. Wing, L. Hutton and K. Baker, Ionosphere, UCI Machine Learning Repository, 1989",
            Licence.CC_BY_4,
            about -> TableFile.read(about, "10e18562b2faf4b58b6e70ebd84104a44a8c76647c621006a5dbbcc69c537616")),

    /**
     * 2,310 patches of outdoor photographs by 19 numbers; seven surfaces, 330 patches of each. One of the columns is
     * constant. Vision Group, University of Massachusetts, Image Segmentation, UCI Machine Learning Repository, 1990;
     * CC BY 4.0.
     */
    SEGMENT(
            "segment",
            Task.CLASSIFICATION,
            "2,310 patches of outdoor photographs by 19 numbers; seven surfaces, 330 patches of each",
            "Vision Group, University of Massachusetts, Image Segmentation, UCI Machine Learning Repository, 1990",
            Licence.CC_BY_4,
            about -> TableFile.read(about, "befdcf4da0985aff05219ed572d5c59ce37f75570d2a26792130b5f6bb323ab2")),

    /**
     * 435 members of the US House of Representatives of 1984, 267 Democrats and 168 Republicans, by 16 votes
     * (categories only). A vote is y, n, or ? where neither is known. Congressional Voting Records, UCI Machine
     * Learning Repository, 1987; CC BY 4.0.
     */
    VOTES(
            "votes",
            Task.CLASSIFICATION,
            "435 members of the US House of Representatives of 1984, 267 Democrats and 168 Republicans, by "
                    + "16 votes (categories only)",
            "Congressional Voting Records, UCI Machine Learning Repository, 1987",
            Licence.CC_BY_4,
            about -> TableFile.read(about, "da3d8120bbed4e1931709bb530704c262a81a0cd2205f46f5b3521fcbd98f1e7")),

    /**
     * 208 sonar echoes, 111 of mines (M) and 97 of rocks (R), by the energy in 60 bands. T. Sejnowski and R. Gorman,
     * Connectionist Bench (Sonar, Mines vs. Rocks), UCI Machine Learning Repository, 1988; CC BY 4.0.
     */
    SONAR(
            "sonar",
            Task.CLASSIFICATION,
            "208 sonar echoes, 111 of mines (M) and 97 of rocks (R), by the energy in 60 bands",
            "T. Sejnowski and R. Gorman, Connectionist Bench (Sonar, Mines vs. Rocks), UCI Machine Learning "
                    + "Repository, 1988",
            Licence.CC_BY_4,
            about -> TableFile.read(about, "3ae91153255c40c21510c6f0d9e694c449ffafcbb34ead0134d6d802190d13bd")),

    /**
     * 442 patients: how far diabetes has gone after a year, by age, sex and eight measurements. Not the normalised
     * columns, which have the mean of all patients in them. B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least
     * angle regression, Annals of Statistics 32, 2004; BSD-3-Clause.
     */
    DIABETES(
            "diabetes",
            Task.REGRESSION,
            "442 patients: how far diabetes has gone after a year, by age, sex and eight measurements",
            "B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least angle regression, Annals of "
                    + "Statistics 32, 2004",
            Licence.BSD,
            about -> TableFile.read(about, "d092bdca30004b84943ea3a48515657e93395ad52c12629f3addeb8e66f5f7e2")),

    /**
     * 1,030 concretes: compressive strength in MPa, by seven ingredients and age. I.-C. Yeh, Concrete Compressive
     * Strength, UCI Machine Learning Repository, 1998; CC BY 4.0.
     */
    CONCRETE(
            "concrete",
            Task.REGRESSION,
            "1,030 concretes: compressive strength in MPa, by seven ingredients and age",
            "I.-C. Yeh, Concrete Compressive Strength, UCI Machine Learning Repository, 1998",
            Licence.CC_BY_4,
            about -> TableFile.read(about, "c2690f237285ede14fa54fe05dbe6a83ce510f65de6a8c5f8cafd6cefd9f38e2")),

    /**
     * 209 computers of the years before 1987: published relative performance, by cycle time, memory, cache and
     * channels. J. Feldmesser, Computer Hardware, UCI Machine Learning Repository, 1987; CC BY 4.0.
     */
    MACHINE_CPU(
            "machine-cpu",
            Task.REGRESSION,
            "209 computers of the years before 1987: published relative performance, by cycle time, memory, "
                    + "cache and channels",
            "J. Feldmesser, Computer Hardware, UCI Machine Learning Repository, 1987",
            Licence.CC_BY_4,
            about -> TableFile.read(about, "51172e5b53b1b89adfd9416bc269256996aac46a469353b045d8304418b524d4")),

    /**
     * The penguins: body mass in grams, by three lengths, species, sex and island (mixed). K. B. Gorman, T. D. Williams
     * and W. R. Fraser, Ecological sexual dimorphism and environmental variability within a community of Antarctic
     * penguins, PLoS ONE 9, 2014; A. M. Horst, A. P. Hill and K. B. Gorman, palmerpenguins, 2020; CC0 1.0.
     */
    PENGUIN_MASS(
            "penguin-mass",
            Task.REGRESSION,
            "The penguins: body mass in grams, by three lengths, species, sex and island (mixed)",
            "K. B. Gorman, T. D. Williams and W. R. Fraser, Ecological sexual dimorphism and environmental "
                    + "variability within a community of Antarctic penguins, PLoS ONE 9, 2014; A. M. Horst, A. P. "
                    + "Hill and K. B. Gorman, palmerpenguins, 2020",
            Licence.CC0,
            about -> TableFile.read(about, "9202667ed215d3e1ba64db845965da29febe91bc05577983a523ab76e27efaaf")),

    /**
     * Synthetic, 1,000 examples: y = 10 sin(π x₁ x₂) + 20 (x₃ - 1/2)² + 10 x₄ + 5 x₅ with noise of deviation 1, x₁ to
     * x₁₀ uniform in [0, 1]. J. H. Friedman, Multivariate adaptive regression splines, Annals of Statistics 19, 1991.
     */
    FRIEDMAN_1(
            "friedman1",
            Task.REGRESSION,
            "A sum of a wave, a square and two straight lines, of five of ten inputs, with noise",
            "J. H. Friedman, Multivariate adaptive regression splines, Annals of Statistics 19, 1991",
            Licence.OURS,
            FriedmanTable::first),

    /**
     * Synthetic, 1,000 examples: y = √(x₁² + (x₂ x₃ - 1 / (x₂ x₄))²) with noise of deviation 125, x₁ in [0, 100], x₂ in
     * [40π, 560π], x₃ in [0, 1], x₄ in [1, 11]. J. H. Friedman, Multivariate adaptive regression splines, Annals of
     * Statistics 19, 1991.
     */
    FRIEDMAN_2(
            "friedman2",
            Task.REGRESSION,
            "The impedance of a circuit, with noise",
            "J. H. Friedman, Multivariate adaptive regression splines, Annals of Statistics 19, 1991",
            Licence.OURS,
            FriedmanTable::second),

    /**
     * Synthetic, 1,000 examples: y = arctan((x₂ x₃ - 1 / (x₂ x₄)) / x₁) with noise of deviation 0.1, the inputs of
     * {@link #FRIEDMAN_2}. J. H. Friedman, Multivariate adaptive regression splines, Annals of Statistics 19, 1991.
     */
    FRIEDMAN_3(
            "friedman3",
            Task.REGRESSION,
            "The phase of a circuit, with noise",
            "J. H. Friedman, Multivariate adaptive regression splines, Annals of Statistics 19, 1991",
            Licence.OURS,
            FriedmanTable::third);

    /** What allows the data to be here. */
    private enum Licence {
        CC_BY_4("CC BY 4.0"),
        CC0("CC0 1.0"),
        BSD("BSD-3-Clause"),
        OURS("Apache-2.0, as this code makes them");

        private final String text;

        Licence(String text) {
            this.text = text;
        }
    }

    private final String title;
    private final Task task;
    private final String description;
    private final String source;
    private final Licence licence;
    private final Function<SmallTables, SmallTable> loader;

    SmallTables(
            String title,
            Task task,
            String description,
            String source,
            Licence licence,
            Function<SmallTables, SmallTable> loader) {
        this.title = title;
        this.task = task;
        this.description = description;
        this.source = source;
        this.licence = licence;
        this.loader = loader;
    }

    /**
     * Returns the table with this title.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static SmallTables named(String title) {
        return Arrays.stream(values())
                .filter(table -> table.title.equals(title))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no small table '" + title + "'; there are "
                        + Arrays.stream(values()).map(SmallTables::title).collect(Collectors.joining(", ")) + "."));
    }

    /**
     * Reads the table, anew each time.
     *
     * @throws DataException if the data that came with this module are missing or damaged
     */
    public SmallTable load() {
        return loader.apply(this);
    }

    /** Returns the name for commands and reports, such as "breast-cancer". */
    public String title() {
        return title;
    }

    /** Returns what is to be predicted. */
    public Task task() {
        return task;
    }

    /** Returns in a few words what the examples are and what is predicted from what. */
    public String description() {
        return description;
    }

    /** Returns the work to cite. */
    public String source() {
        return source;
    }

    /** Returns the licence of the data. */
    public String licence() {
        return licence.text;
    }
}
